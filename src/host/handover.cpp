// add_key(2) and keyctl(2), called without a library: glibc has no functions for them.
#include "host/handover.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <span>

namespace zkv::host {

namespace {

// keyctl_setperm(3): who has the right user id may see, read, replace, find and guard it.
constexpr unsigned long kOwnerMay = 0x00010000UL | 0x00020000UL | 0x00040000UL | 0x00080000UL | 0x00200000UL;
constexpr unsigned long kPossessorMay = kOwnerMay << 8U;
constexpr std::size_t kLongestSecret = 4096;

long keyctl(int operation, unsigned long a, unsigned long b = 0, unsigned long c = 0, unsigned long d = 0) {
  return ::syscall(SYS_keyctl, operation, a, b, c, d);
}

unsigned long address_of(const void* bytes) { return reinterpret_cast<unsigned long>(bytes); }

constexpr auto kUserKeyring = static_cast<unsigned long>(KEY_SPEC_USER_KEYRING);
constexpr auto kProcessKeyring = static_cast<unsigned long>(KEY_SPEC_PROCESS_KEYRING);

/// The gateway whose shares they are goes before the secret; 32 zeros stand for a key that is no shares.
SecretBytes packed(const repository::RepositoryKey& key) {
  SecretBuilder bytes;
  bytes.append(key.gateway.value_or(repository::GatewayId{}));
  bytes.append(key.secret.span());
  return bytes.take();
}

std::optional<repository::RepositoryKey> unpacked(std::span<const std::uint8_t> bytes) {
  repository::GatewayId gateway{};
  if (bytes.size() <= gateway.size()) return std::nullopt;
  std::copy_n(bytes.begin(), gateway.size(), gateway.begin());
  repository::RepositoryKey key{SecretBytes::copy_of(bytes.subspan(gateway.size())), std::nullopt};
  if (gateway != repository::GatewayId{}) key.gateway = gateway;
  return key;
}

void forget(long key) { keyctl(KEYCTL_INVALIDATE, static_cast<unsigned long>(key)); }

}  // namespace

Result<> leave_handover(const repository::RepositoryKey& key, const std::string& name) {
  ZKV_TRY(auto held, HeldHandover::hold(key, name));
  return held.leave();
}

HeldHandover::~HeldHandover() {
  if (id_ != 0) forget(id_);
}

Result<HeldHandover> HeldHandover::hold(const repository::RepositoryKey& key, const std::string& name) {
  const auto bytes = packed(key);
  const long id =
      ::syscall(SYS_add_key, "user", name.c_str(), bytes.data(), bytes.size(), KEY_SPEC_PROCESS_KEYRING);
  if (id >= 0) return HeldHandover(id);
  return errno == ENOSYS ? Error::unsupported("this kernel has no keyrings to leave the repository's key in")
                         : Error::system("cannot keep the repository's key in the kernel's keyring", errno);
}

Result<> HeldHandover::leave() {
  const auto key = static_cast<unsigned long>(id_);
  // Only what a process possesses can it guard, and a unit's session does not lead to the user's keyring.
  if (keyctl(KEYCTL_LINK, kUserKeyring, kProcessKeyring) != 0)
    return Error::system("cannot reach the kernel's keyring of this user", errno);
  const auto lifetime = static_cast<unsigned long>(std::chrono::seconds(kHandoverLifetime).count());
  if (keyctl(KEYCTL_SET_TIMEOUT, key, lifetime) != 0 || keyctl(KEYCTL_LINK, key, kUserKeyring) != 0 ||
      keyctl(KEYCTL_SETPERM, key, kPossessorMay | kOwnerMay) != 0) {
    const int failed = errno;
    forget(std::exchange(id_, 0));
    return Error::system("cannot leave the repository's key in the kernel's keyring", failed);
  }
  keyctl(KEYCTL_UNLINK, key, kProcessKeyring);
  id_ = 0;
  return {};
}

std::optional<repository::RepositoryKey> take_handover(const std::string& name) {
  const long id = keyctl(KEYCTL_SEARCH, kUserKeyring, address_of("user"), address_of(name.c_str()));
  if (id < 0) return std::nullopt;
  SecretBytes bytes(kLongestSecret);
  const long size =
      keyctl(KEYCTL_READ, static_cast<unsigned long>(id), address_of(bytes.data()), bytes.size());
  forget(id);
  if (size <= 0 || static_cast<std::size_t>(size) > bytes.size()) return std::nullopt;
  return unpacked(bytes.span().first(static_cast<std::size_t>(size)));
}

}  // namespace zkv::host
