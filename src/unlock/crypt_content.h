// Whether a key makes sense of a volume that has no header to tell.
#pragma once

#include <cstdint>
#include <span>

#include "unlock/crypt.h"
#include "unlock/crypt_library.h"

namespace zkv::unlock {

/// What blkid(8) calls what is on `device`, a type a line; empty where it knows nothing. Errors: kIo.
Result<std::string> types_on(const std::string& device, const CryptOptions& options);

/// Opens the device read-only for a moment, under a name of its own that udev passes over and that is gone
/// when this process is, and asks blkid(8) what is on it. Also where it is open already. Errors: kWrongKey
/// (nothing that blkid knows, or not what the wishes expect); those of CryptLibrary::activate(); kIo (blkid
/// failed).
Result<> check_content(const CryptLibrary& library, CryptLibrary::Device device,
                       std::span<const std::uint8_t> key, const CryptOptions& options);

}  // namespace zkv::unlock
