// A challenge is its end (8 bytes, milliseconds, big endian), 8 random bytes, and 16 bytes of HMAC-SHA-256
// over both.
#include "gateway/service/sign_in_challenges.h"

#include <algorithm>
#include <span>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace zkv::gateway {
namespace {

constexpr std::size_t kChallengeKeySize = 32;
constexpr std::size_t kEndSize = 8;
constexpr std::size_t kSaidSize = 16;  ///< end and random bytes: what the MAC is over
constexpr unsigned kBitsOfByte = 8;

Time end_of(const passkey::Challenge& challenge) {
  std::uint64_t milliseconds = 0;
  for (std::size_t i = 0; i < kEndSize; ++i) milliseconds = (milliseconds << kBitsOfByte) | challenge.at(i);
  return Time(std::chrono::milliseconds(milliseconds));
}

void complete(passkey::Challenge& challenge, const SecretBytes& key) {
  const auto mac = crypto::hmac_sha256(key.span(), std::span(challenge).first(kSaidSize));
  std::copy_n(mac.begin(), challenge.size() - kSaidSize, challenge.begin() + kSaidSize);
}

}  // namespace

SignInChallenges::SignInChallenges(std::chrono::seconds life)
    : life_(life), key_(crypto::random_secret(kChallengeKeySize)) {}

passkey::Challenge SignInChallenges::make(Time now) const {
  passkey::Challenge challenge{};
  crypto::fill_random(challenge);
  auto end = static_cast<std::uint64_t>((now + life_).time_since_epoch().count());
  for (std::size_t i = kEndSize; i > 0; --i, end >>= kBitsOfByte) {
    challenge.at(i - 1) = static_cast<std::uint8_t>(end);
  }
  complete(challenge, key_);
  return challenge;
}

bool SignInChallenges::is_good(const passkey::Challenge& challenge, Time now) const {
  auto right = challenge;
  complete(right, key_);
  return equal_in_constant_time(right, challenge) && now < end_of(challenge) && !used_.contains(challenge);
}

void SignInChallenges::use(const passkey::Challenge& challenge, Time now) {
  std::erase_if(used_, [now](const auto& used) { return used.second <= now; });
  used_.emplace(challenge, end_of(challenge));
}

}  // namespace zkv::gateway
