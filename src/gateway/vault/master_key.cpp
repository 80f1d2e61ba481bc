// The master key's file.
#include "base/private_file.h"
#include "crypto/random.h"
#include "gateway/vault/embedded.h"

namespace zkv::gateway {

namespace {

constexpr std::size_t kMasterKeySize = 32;
constexpr const char* kWhat = "the master key";

}  // namespace

Result<SecretBytes> load_master_key(const std::filesystem::path& path) {
  return load_private_file(path, kMasterKeySize, kWhat);
}

Result<SecretBytes> make_master_key(const std::filesystem::path& path) {
  return load_or_make_private_file(path, crypto::random_secret(kMasterKeySize), kWhat);
}

}  // namespace zkv::gateway
