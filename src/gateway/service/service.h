// The shell around the approval core: takes events, lets `decide` speak, commits with the audit row, and then
// carries out the effects. The only caller of decide, store, vaults and channels.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/approval/decide.h"
#include "gateway/channel/channel.h"
#include "gateway/identity/identity.h"
#include "gateway/service/boots.h"
#include "gateway/service/cards.h"
#include "gateway/service/enrolments.h"
#include "gateway/service/heartbeats.h"
#include "gateway/service/host_asks.h"
#include "gateway/service/people.h"
#include "gateway/service/push.h"
#include "gateway/service/totps.h"
#include "gateway/store/store.h"
#include "gateway/vault/vault.h"

namespace zkv::gateway {

class PushPost;

struct ServiceOptions {
  std::string secret;   ///< the vault's name of the key that legacy requests ask for
  SecretBytes pin_key;  ///< 32 bytes under which PINs are stored: load_pin_key (service/pin.h)
  std::shared_ptr<const Identity> identity;  ///< never null
  std::chrono::seconds max_wait{60};         ///< from the ask to its expiry
  std::chrono::seconds host_wait{900};       ///< the same for an enrolled host's request
  unsigned pin_length = 6;                   ///< digits, 4 to 18
  Policy policy;
  unsigned wrong_pins_an_hour = 10;  ///< over all requests; survives restarts
  /// Times that people are told of asks of the first protocol, by whatever channel, at most a third of them
  /// for one address; survives restarts. More asks are told at the console only.
  unsigned notices_an_hour = 30;
  std::size_t pending_limit = 10'000;        ///< open requests of enrolled hosts
  std::size_t asks_limit = 10'000;           ///< those of the first protocol
  std::size_t asks_of_network_limit = 256;   ///< of these, those of one network (network_of)
  std::chrono::seconds challenge_life{120};  ///< of what a passkey is asked to sign
  std::chrono::seconds session_life{3'600};
  std::vector<std::string> totp_groups;  ///< whose hosts may be decided by codes; none: there are no codes
  std::chrono::seconds totp_session_life{600};
  std::shared_ptr<PushPost> push;  ///< the channel's, too; null: there is no Web Push
  std::filesystem::path
      checkpoint_file;  ///< where the newest checkpoint of the audit log is kept; empty: nowhere
  /// Told, on a thread of the service, of a commit that failed: the one thing no audit row can tell.
  std::function<void(const Error&)> on_store_failure;
  /// Told, on a thread of the service, why an approved request got no share.
  std::function<void(const Error&)> on_vault_failure;
  /// Told, on the caller's thread or one of the service, of an open request that is damaged in the database.
  std::function<void(const Error&)> on_damaged_request;
  /// Told, on a thread of the service, of a request that no message was sent for, as the hour's are used up.
  std::function<void(const Error&)> on_notice_withheld;
};

/// What a client that waits is told.
struct Answer {
  enum class Outcome { kReleased, kDenied, kExpired, kCancelled, kVaultFailed, kStopping, kTooMany };
  Outcome outcome = Outcome::kStopping;
  RequestId request;
  std::shared_ptr<const SecretBytes> share;  ///< only with kReleased, else null; one copy for all who wait
};

struct Ask {
  std::string address;
  std::optional<std::string> token;  ///< the value of ZKV-Request-Token
};

enum class PinOutcome { kApproved, kUnknownPin, kTooManyTries };

inline constexpr std::size_t kMostListed = 1'000;
/// So many open requests people see at once; as they are decided, the others come.
inline constexpr std::size_t kMostOnBoard = 100;

struct HistoryAsk {
  std::size_t limit = 100;          ///< at most kMostListed
  std::optional<RequestId> before;  ///< the last of the page before this one
};

/// Thread-safe. Coroutines complete on the executor of whoever awaits them. One thread of its own commits;
/// vaults and channels run on a small pool.
class Service {
 public:
  static Result<std::unique_ptr<Service>> start(std::unique_ptr<Store> store, std::unique_ptr<Vault> vault,
                                                std::vector<std::unique_ptr<Channel>> channels,
                                                ServiceOptions options);
  virtual ~Service() = default;

  /// Makes (or, by its token, finds again) a request and waits for its end without a thread and without
  /// polling. Cancelling the coroutine tells the service that the client is gone.
  virtual boost::asio::awaitable<Answer> wait_for_release(Ask ask) = 0;
  /// Says that the answer of kReleased was written in full, or that it could not be.
  virtual void delivered(const RequestId& id, bool in_full) = 0;

  /// A PIN that came back by a channel. `message` is the provider's id of the message: the same message twice
  /// counts once, and answers as the first time. `by` names the sender in the audit log.
  virtual boost::asio::awaitable<Result<PinOutcome>> receive_pin(std::string digits, std::string message,
                                                                 std::string by) = 0;
  /// Writes an audit row about something refused before it reached a request (unsigned webhook, rate limit);
  /// rows of one kind and address are gathered into one a minute, so that an attacker cannot fill the disk.
  virtual void note_refusal(std::string kind, std::string address, std::string detail) = 0;

  /// All that have not ended, enrolled hosts' first, each oldest first.
  virtual boost::asio::awaitable<Result<CardList>> open_requests() = 0;
  /// All there are, ended or not, newest first, a page at a time.
  virtual boost::asio::awaitable<Result<CardList>> history(HistoryAsk ask) = 0;
  /// Errors: kNotFound.
  virtual boost::asio::awaitable<Result<RequestCard>> request(RequestId id) = 0;
  /// Errors: kNotFound, kConflict (it has ended), kCorrupt (it is damaged).
  virtual boost::asio::awaitable<Result<Request>> approve(RequestId id, std::string by) = 0;
  virtual boost::asio::awaitable<Result<Request>> deny(RequestId id, std::string by, std::string reason) = 0;
  /// Deletes a request that is damaged in the database, whatever its state, and wakes whoever waits for it:
  /// its host is told that there is none, and asks anew. Errors: kNotFound, kConflict (it is not damaged).
  virtual boost::asio::awaitable<Result<RequestId>> discard(RequestId id, std::string by) = 0;
  /// Approves all that are pending now and not damaged, in one transaction; returns how many.
  virtual boost::asio::awaitable<Result<std::size_t>> approve_all(std::string by) = 0;

  [[nodiscard]] virtual Enrolments& enrolments() = 0;
  [[nodiscard]] virtual HostAsks& host_asks() = 0;
  [[nodiscard]] virtual Heartbeats& heartbeats() = 0;
  [[nodiscard]] virtual Boots& boots() = 0;
  [[nodiscard]] virtual People& people() = 0;
  [[nodiscard]] virtual Push& push() = 0;
  [[nodiscard]] virtual Totps& totps() = 0;

  /// Whether the store answers and takes changes, for /readyz.
  virtual boost::asio::awaitable<Result<>> check() = 0;
  /// Answers all waiting clients with kStopping, ends what runs, commits, and joins the threads. Requests of
  /// clients with a token stay pending for the next start.
  virtual void stop() = 0;
};

}  // namespace zkv::gateway
