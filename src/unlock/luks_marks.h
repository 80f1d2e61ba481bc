// What a LUKS header shows of its key slots to whoever may read the device.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace zkv::unlock {

enum class LuksWay {
  kAnySlot,    ///< opened by a key slot
  kVolumeKey,  ///< by the key of the cipher: slots do not matter
};

/// "UUID", one "key slot N" for each slot in use (SHA-256 of what the header says of it and of its area), and
/// one "volume key N" for each digest of the volume's key. A key slot that is added is a further mark and
/// changes no other. Errors: kInvalid (no LUKS header, or a damaged one), kIo.
/// Source: LUKS1 and LUKS2 on-disk format specifications.
Result<std::map<std::string, std::string>> luks_marks(const std::filesystem::path& header, LuksWay way);

/// Leaves of the marks of slots that of one alone.
void only_slot(int slot, std::map<std::string, std::string>& marks);

}  // namespace zkv::unlock
