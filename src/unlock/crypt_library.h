// libcryptsetup, loaded at run time: a machine without dm-crypt volumes never pays for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "unlock/crypt_kind.h"

namespace zkv::unlock {

struct CryptFunctions;

/// libcryptsetup is not made for several threads: one call at a time in a process.
class CryptLibrary {
 public:
  struct Device {
    std::filesystem::path path;
    CryptFormat format = CryptFormat::kLuks;
    CryptWishes wishes = {};
  };

  /// The first of `libraries` that can be loaded. Errors: kUnsupported.
  static Result<CryptLibrary> load(const std::vector<std::string>& libraries);

  /// What opening the device needs of memory at most, in KiB; 0 where that is little. Of formats whose header
  /// only the key shows, or that have none, it is only seen whether the device is there. Errors: kNotFound
  /// (no such header), kInvalid (a path that is no place for one), kDenied, kIo.
  [[nodiscard]] Result<std::uint64_t> read_header(const Device& device) const;
  /// Makes the mapping of that name; without a name the key is only tried, which of a plain device says
  /// nothing. Errors: kWrongKey, kExists (the mapping is there), kConflict (the device is in use), kNotFound
  /// (no key slot to try), kDenied, kUnsupported (the system has no device mapper, or not the cipher),
  /// kUnavailable (no memory), kIo.
  [[nodiscard]] Result<> activate(const Device& device, const std::string& mapping,
                                  std::span<const std::uint8_t> key) const;
  /// Puts a random key into a free key slot of a LUKS header, whose volume `opens` opens. Errors: as
  /// activate(); kUnsupported (no key slot is free).
  [[nodiscard]] Result<> add_key(const Device& device, std::span<const std::uint8_t> opens,
                                 std::span<const std::uint8_t> key) const;
  /// Destroys each key slot that `key` opens, where `opens` opens another one. Errors: as activate();
  /// kConflict (it would be the last one that opens by `opens`).
  [[nodiscard]] Result<> remove_key(const Device& device, std::span<const std::uint8_t> opens,
                                    std::span<const std::uint8_t> key) const;
  enum class Closing {
    kNow,
    kOnceUnused,  ///< by the kernel, when nobody has it open any more
    kNotYet,      ///< takes that back
  };
  /// Errors: kNotFound (no such mapping), kConflict (in use), kDenied, kIo.
  [[nodiscard]] Result<> deactivate(const std::string& mapping, Closing closing = Closing::kNow) const;

 private:
  explicit CryptLibrary(std::shared_ptr<const CryptFunctions> functions) : functions_(std::move(functions)) {}

  std::shared_ptr<const CryptFunctions> functions_;
};

}  // namespace zkv::unlock
