// What enrolled hosts ask for, and what becomes of it: requests of version 2 (docs/protocol-v2.md).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "gateway/approval/request.h"
#include "protocol/envelope.h"

namespace zkv::gateway {

/// A request as its host is told of it.
struct HostRequest {
  Request request;
  std::optional<std::string> release;  ///< an envelope in JSON; while it is released and not acknowledged
  std::optional<std::size_t> asked = std::nullopt;  ///< how many people can decide it; while it is pending
};

enum class AskVerdict : std::uint8_t {
  kTaken,
  kAgain,        ///< this very message came before
  kUnknownHost,  ///< no host of that key, or one that is revoked
  kWrongClock,   ///< its time is too far from ours
  kStale,        ///< older than another request of the same host
  kTooMany,
  kBootWaits,  ///< a drill, or for new keys, while a request of the host's boot is open
};

struct AskAnswer {
  AskVerdict verdict = AskVerdict::kUnknownHost;
  std::optional<HostRequest> taken;  ///< with kTaken and kAgain
};

/// Thread-safe. Errors of every call, beside those said: kIo, kInterrupted (the gateway stops).
class HostAsks {
 public:
  virtual ~HostAsks() = default;

  /// Errors: kInvalid (its form), kDenied (its signature, another gateway, another repository).
  virtual boost::asio::awaitable<Result<AskAnswer>> ask(protocol::Envelope envelope, std::string address) = 0;
  /// The request whose envelope has this hash. One whose share could not be had is tried again. Errors:
  /// kNotFound.
  virtual boost::asio::awaitable<Result<HostRequest>> state(Bytes hash) = 0;
  /// Waits until the request is no longer as it was `seen`. Costs no thread. Cancelling the coroutine ends
  /// the wait.
  virtual boost::asio::awaitable<bool> change_of(Request seen) = 0;
  /// Acknowledges or cancels. Errors: kNotFound, kInvalid, kDenied (signature), kConflict (not in this
  /// state).
  virtual boost::asio::awaitable<Result<Request>> word(Bytes hash, protocol::Envelope envelope) = 0;
};

/// Whether a host need not wait for more: it has ended, or there is a release.
inline bool is_answered(const HostRequest& request) { return is_final(request.request.state); }

}  // namespace zkv::gateway
