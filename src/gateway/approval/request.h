// One host's open request and the states it goes through: plain data, shared by every room of the gateway.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "base/time.h"

namespace zkv::gateway {

using zkv::to_text;  // that of a time, which to_text(State) would hide

/// Ten characters of Crockford base32 from the system's generator, shown to people as it is.
struct RequestId {
  std::string text;
  auto operator<=>(const RequestId&) const = default;
};

enum class State : std::uint8_t {
  kPending,
  kApproved,
  kReleased,
  kAcknowledged,
  kDenied,
  kExpired,
  kCancelled,
  kSuperseded,
};
std::string_view to_text(State state);
std::optional<State> state_from_text(std::string_view text);
/// Released, acknowledged, denied, expired, cancelled, superseded: nothing can be released any more.
bool is_final(State state);

struct Request {
  RequestId id;
  State state = State::kPending;
  /// The client's, as text; behind a trusted proxy the one it forwarded. Where it came back from another one,
  /// that.
  std::string address;
  Time created_at;
  Time expires_at;
  Bytes pin_mac;            ///< HMAC of the PIN; empty when no PIN was made
  unsigned wrong_pins = 0;  ///< tries that did not fit
  std::optional<Bytes>
      token_hash;  ///< SHA-256 of the client's token, or the hash of a signed request: by these a client
                   ///< comes back; without one the request ends with its client
  std::string decided_by;  ///< "sms:+1555…", "console:uid 0"; empty while pending
  std::string reason;      ///< why it was denied, cancelled, or why the vault failed
  /// The enrolled host's id (hex), of which the request is signed; empty for a request of the first protocol.
  std::string host;
};

}  // namespace zkv::gateway
