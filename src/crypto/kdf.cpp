// HKDF over this room's HMAC, Argon2id by libsodium, PBKDF2 by nettle.
#include "crypto/kdf.h"

#include <nettle/pbkdf2.h>
#include <sodium.h>

#include <algorithm>
#include <limits>

#include "base/stack_wiper.h"
#include "crypto/hash.h"

#undef pbkdf2_hmac_sha1  // nettle renames its functions by macros, and so would rename ours
#undef pbkdf2_hmac_sha256

namespace zkv::crypto {

namespace {

constexpr std::size_t kArgon2KeySize = 32;

/// One block of RFC 5869's expansion: T(n) = HMAC(prk, T(n-1) | info | n).
Sha256 expand_block(const Sha256& pseudorandom_key, std::span<const std::uint8_t> last, std::string_view info,
                    std::uint8_t number) {
  SecretBuilder message;
  message.append(last);
  message.append(info);
  message.push_back(number);
  return hmac_sha256(pseudorandom_key, message.take().span());
}

Result<> check_iterations(std::uint32_t iterations) {
  constexpr auto kMost = static_cast<std::uint32_t>(std::numeric_limits<int>::max());
  if (iterations > 0 && iterations <= kMost) return {};
  return Error::invalid("PBKDF2 cannot do " + std::to_string(iterations) + " iterations");
}

const char* text_of(std::span<const std::uint8_t> bytes) {
  return reinterpret_cast<const char*>(bytes.data());
}

}  // namespace

SecretBytes hkdf_sha256(std::span<const std::uint8_t> input_key, std::span<const std::uint8_t> salt,
                        std::string_view info, std::size_t size) {
  const StackWiper wiper;
  Sha256 pseudorandom_key = hmac_sha256(salt, input_key);
  SecretBytes out(size);
  Sha256 block{};
  std::size_t done = 0;
  for (std::uint8_t number = 1; done < size; ++number) {
    const auto last = number == 1 ? std::span<const std::uint8_t>() : std::span<const std::uint8_t>(block);
    block = expand_block(pseudorandom_key, last, info, number);
    const std::size_t taken = std::min(block.size(), size - done);
    std::copy_n(block.begin(), taken, out.data() + done);
    done += taken;
  }
  sodium_memzero(pseudorandom_key.data(), pseudorandom_key.size());
  sodium_memzero(block.data(), block.size());
  return out;
}

Result<SecretBytes> argon2id(std::span<const std::uint8_t> passphrase, std::span<const std::uint8_t> salt,
                             const Argon2Cost& cost) {
  const StackWiper wiper;
  if (salt.size() != crypto_pwhash_argon2id_SALTBYTES) return Error::invalid("Argon2id needs a 16-byte salt");
  const std::uint64_t memory = std::uint64_t{cost.memory_kib} * 1024;
  if (cost.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN || memory < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
      memory > crypto_pwhash_argon2id_MEMLIMIT_MAX) {
    return Error::invalid("the Argon2id cost (passes " + std::to_string(cost.passes) + ", memory " +
                          std::to_string(cost.memory_kib) + " KiB) is out of range");
  }
  SecretBytes key(kArgon2KeySize);
  if (crypto_pwhash_argon2id(key.data(), key.size(), text_of(passphrase), passphrase.size(), salt.data(),
                             cost.passes, memory, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return Error::unavailable("there are not " + std::to_string(cost.memory_kib / 1024) +
                              " MiB of free memory to derive a key from the passphrase")
        .remedy("free memory and try again");
  }
  return key;
}

Result<SecretBytes> pbkdf2_hmac_sha1(std::span<const std::uint8_t> passphrase,
                                     std::span<const std::uint8_t> salt, std::uint32_t iterations,
                                     std::size_t size) {
  const StackWiper wiper;
  ZKV_CHECK(check_iterations(iterations));
  SecretBytes key(size);
  nettle_pbkdf2_hmac_sha1(passphrase.size(), passphrase.data(), iterations, salt.size(), salt.data(), size,
                          key.data());
  return key;
}

Result<SecretBytes> pbkdf2_hmac_sha256(std::span<const std::uint8_t> passphrase,
                                       std::span<const std::uint8_t> salt, std::uint32_t iterations,
                                       std::size_t size) {
  const StackWiper wiper;
  ZKV_CHECK(check_iterations(iterations));
  SecretBytes key(size);
  nettle_pbkdf2_hmac_sha256(passphrase.size(), passphrase.data(), iterations, salt.size(), salt.data(), size,
                            key.data());
  return key;
}

}  // namespace zkv::crypto
