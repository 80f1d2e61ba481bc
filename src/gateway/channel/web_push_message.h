// Messages to browsers by Web Push: encrypted to the browser (RFC 8291), signed for its push service (RFC
// 8292).
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"

struct evp_pkey_st;

namespace zkv::gateway {

inline constexpr std::size_t kPushPointSize = 65;  ///< an uncompressed point of P-256
inline constexpr std::size_t kPushAuthSize = 16;
inline constexpr std::size_t kPushKeySize = 32;         ///< the secret number of a key
inline constexpr std::size_t kLongestPushText = 3'993;  ///< so that one record of 4096 bytes holds it

using PushPoint = std::array<std::uint8_t, kPushPointSize>;

/// What a browser gives when somebody wants to be told there.
struct PushSubscription {
  std::string endpoint;  ///< https, at the browser's push service
  PushPoint key{};
  std::array<std::uint8_t, kPushAuthSize> auth{};
};

/// A P-256 key: that of the gateway by which push services know it, or one for one message.
class PushKey {
 public:
  static Result<PushKey> make();
  /// Errors: kInvalid unless the secret is a number of kPushKeySize bytes that the curve has.
  static Result<PushKey> from_secret(const SecretBytes& secret);

  [[nodiscard]] const PushPoint& point() const { return point_; }
  [[nodiscard]] const SecretBytes& secret() const { return secret_; }
  /// ECDH with another's point. Errors: kInvalid when it is no point of the curve.
  [[nodiscard]] Result<SecretBytes> agree(const PushPoint& other) const;
  /// ES256 (RFC 7518): r ‖ s. Errors: kInternal.
  [[nodiscard]] Result<Bytes> sign(std::string_view text) const;

 private:
  struct Deleter {
    void operator()(evp_pkey_st* key) const;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Deleter>;
  PushKey(Handle handle, SecretBytes secret, PushPoint point)
      : handle_(std::move(handle)), secret_(std::move(secret)), point_(point) {}

  Handle handle_;
  SecretBytes secret_;
  PushPoint point_{};
};

/// The body of a push: aes128gcm (RFC 8188) of one record under a key that sender and browser agree on.
/// `salt` has 16 bytes; sender and salt are to be fresh for each message. Errors: kInvalid (too long, or the
/// subscription's key is no point of the curve).
Result<Bytes> encrypt_push(const PushSubscription& subscription, std::string_view text, const PushKey& sender,
                           std::span<const std::uint8_t> salt);

/// The Authorization header (vapid) for a push service. `audience` is its origin, `subject` how its operators
/// reach ours (mailto: or https:; empty: not said); good until `expires`, at most a day ahead. Errors:
/// kInternal.
Result<std::string> vapid_authorization(const PushKey& key, const std::string& audience,
                                        const std::string& subject, Time expires);

}  // namespace zkv::gateway
