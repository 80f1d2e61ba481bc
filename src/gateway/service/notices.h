// Telling approvers that a host asks: each channel on the pool, what came of it in the audit log.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/channel/channel.h"
#include "gateway/service/desk.h"
#include "gateway/service/errands.h"
#include "gateway/service/ledger.h"

namespace zkv::gateway {

/// Whether people may be told of a request of the first protocol, by whatever channel.
enum class Turn : std::uint8_t {
  kNone,          ///< there is no channel but the console
  kTaken,         ///< they may, and it is counted
  kHourUsedUp,    ///< all of the hour's messages are sent
  kAddressSpent,  ///< those of this address are, a third of all
};

/// Whether it counts as told: only within the limits are people told.
constexpr bool is_told(Turn turn) { return turn == Turn::kTaken || turn == Turn::kNone; }

/// On the ledger's thread only; channels are called as errands: those that wait for their provider on
/// `patient`, the others on `errands`, so that one that is out of order holds up neither these nor releases.
class Notices {
 public:
  /// Notes for the audit log, gathered: kind, address, detail.
  using Note = std::function<void(std::string, std::string, std::string)>;

  Notices(Desk& desk, Ledger& ledger, Errands& errands, Errands& patient, const ServiceOptions& options,
          std::vector<std::unique_ptr<Channel>> channels, std::stop_token stop, Note note);

  /// Counts the messages of the last hour from the store, so that the limit outlives a restart.
  Result<> remember_turns(Time now);
  [[nodiscard]] Turn take_turn(const std::string& address, Time now);
  /// With an empty `pin` only those channels are told that want none; beyond a limit the console alone, and
  /// without a row for it.
  void send(const Request& request, const SecretBytes& pin, Turn turn);
  /// Of an enrolled host's request.
  void send(const Request& request, const std::string& host, bool is_drill);
  /// Says in the audit log and to the operator when `turn` is one of the limits.
  void tell_of_limit(const Request& request, Turn turn);

 private:
  /// A message to people: when, and for whom.
  struct Sent {
    Time at;
    std::string asker;
  };

  [[nodiscard]] std::size_t an_address() const;
  void send(const std::shared_ptr<Channel>& channel, Notice notice, bool is_noted);
  Command outcome(const RequestId& request, const Channel& channel, const Result<>& sent);

  Desk& desk_;
  Ledger& ledger_;
  Errands& errands_;
  Errands& patient_;
  std::size_t an_hour_;
  std::function<void(const Error&)> on_withheld_;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::stop_token stop_;
  Note note_;
  std::deque<Sent> turns_;  ///< those of the last hour
};

}  // namespace zkv::gateway
