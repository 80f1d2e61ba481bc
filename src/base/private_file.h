// Secrets in files of their own: read only where nobody else could have read or written them.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv {

/// The whole file, which must have exactly `size` bytes, be a regular file of ours or root's, and be closed
/// to group and others. `what` names it in messages, as in "the master key". Errors: kNotFound; kInvalid
/// (size, no file); kDenied (whose it is, or who may read it; the remedy says what to do); kIo.
Result<SecretBytes> load_private_file(const std::filesystem::path& path, std::size_t size,
                                      const std::string& what);

/// Makes the file with `fresh` in it, mode 0600, unless it is there already; then gives what is in it. So of
/// two who do this at once both get the same. Errors: as load_private_file().
Result<SecretBytes> load_or_make_private_file(const std::filesystem::path& path, const SecretBytes& fresh,
                                              const std::string& what);

}  // namespace zkv
