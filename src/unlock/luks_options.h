// What a LUKS volume's settings ask for, checked before anything is tried.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace zkv::unlock {

/// The words of a volume's options, as crypttab(5) has them.
struct LuksWishes {
  std::uint32_t activation = 0;  ///< CRYPT_ACTIVATE_… of libcryptsetup.h
  std::filesystem::path header;  ///< of a detached header; empty: it lies on the device
  std::optional<int> key_slot;   ///< only this one is tried
  bool is_read_only = false;
};

/// Errors: kInvalid (a word that is not known, or has a value that it cannot have).
Result<LuksWishes> parse_luks_options(std::string_view options);

/// Whether a mapping can have this name: docs/repository-format.md, "Body". Errors: kInvalid.
Result<> check_mapping_name(std::string_view name);

}  // namespace zkv::unlock
