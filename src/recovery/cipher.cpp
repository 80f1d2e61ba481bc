// Four rounds of a Feistel network over PBKDF2.
#include "recovery/cipher.h"

#include <array>
#include <utility>

#include "crypto/kdf.h"

namespace zkv::recovery {

namespace {

constexpr std::uint32_t kIterations = 2500;  // of one round, at exponent 0

/// What is mixed into one half from the other.
SecretBytes round_value(std::uint8_t round, const SecretBytes& half, const KitMark& mark,
                        std::string_view passphrase) {
  SecretBuilder password;
  password.push_back(round);
  password.append(passphrase);
  SecretBuilder salt;
  if (!mark.is_extendable) {
    salt.append("shamir");
    salt.push_back(static_cast<std::uint8_t>(mark.number >> 8U));
    salt.push_back(static_cast<std::uint8_t>(mark.number));
  }
  salt.append(half.span());
  return crypto::pbkdf2_hmac_sha256(password.take().span(), salt.take().span(), kIterations << mark.exponent,
                                    half.size())
      .value();  // its one error is a number of iterations that no exponent of four bits gives
}

SecretBytes run(const SecretBytes& in, const std::array<std::uint8_t, 4>& rounds, const KitMark& mark,
                std::string_view passphrase) {
  const std::size_t half = in.size() / 2;
  SecretBytes left = SecretBytes::copy_of(in.span().first(half));
  SecretBytes right = SecretBytes::copy_of(in.span().subspan(half));
  for (const std::uint8_t round : rounds) {
    const SecretBytes value = round_value(round, right, mark, passphrase);
    for (std::size_t i = 0; i < half; ++i) left.data()[i] ^= value.data()[i];
    std::swap(left, right);
  }
  SecretBuilder out;
  out.append(right.span());
  out.append(left.span());
  return out.take();
}

}  // namespace

SecretBytes encrypt(const SecretBytes& secret, const KitMark& mark, std::string_view passphrase) {
  return run(secret, {0, 1, 2, 3}, mark, passphrase);
}

SecretBytes decrypt(const SecretBytes& encrypted, const KitMark& mark, std::string_view passphrase) {
  return run(encrypted, {3, 2, 1, 0}, mark, passphrase);
}

}  // namespace zkv::recovery
