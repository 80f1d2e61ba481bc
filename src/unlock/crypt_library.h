// libcryptsetup, loaded at run time: a machine without LUKS volumes never pays for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace zkv::unlock {

/// libcryptsetup is not made for several threads: one call at a time in a process.
class CryptLibrary {
 public:
  /// A device and where its header is; an empty `header` lies on the device.
  struct Device {
    std::filesystem::path path;
    std::filesystem::path header;
  };
  struct Header {
    std::string type;                     ///< "LUKS1" or "LUKS2"
    std::uint64_t derivation_memory = 0;  ///< KiB that the dearest key slot needs
  };
  struct Activation {
    std::string mapping;  ///< its name to be; empty: the key is only tried
    std::span<const std::uint8_t> key;
    std::optional<int> key_slot;
    std::uint32_t flags = 0;  ///< CRYPT_ACTIVATE_…
  };

  /// The first of `libraries` that can be loaded. Errors: kUnsupported.
  static Result<CryptLibrary> load(const std::vector<std::string>& libraries);

  /// Errors: kNotFound (no LUKS header there), kInvalid (a path that is no place for one), kDenied, kIo.
  [[nodiscard]] Result<Header> read_header(const Device& device) const;
  /// Errors: kWrongKey, kExists (the mapping is there), kConflict (the device is in use), kNotFound (no key
  /// slot to try), kDenied, kUnsupported (the system has no device mapper, or not the cipher), kUnavailable
  /// (no memory), kIo.
  [[nodiscard]] Result<> activate(const Device& device, const Activation& activation) const;
  /// Errors: kNotFound (no such mapping), kConflict (in use), kDenied, kIo.
  [[nodiscard]] Result<> deactivate(const std::string& mapping) const;

 private:
  struct Functions;
  CryptLibrary(std::shared_ptr<void> library, std::shared_ptr<const Functions> functions)
      : library_(std::move(library)), functions_(std::move(functions)) {}

  std::shared_ptr<void> library_;
  std::shared_ptr<const Functions> functions_;
};

}  // namespace zkv::unlock
