// Heartbeats over the ledger and the vault.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "gateway/channel/web_push.h"
#include "gateway/identity/identity.h"
#include "gateway/service/desk.h"
#include "gateway/service/errands.h"
#include "gateway/service/heartbeats.h"
#include "gateway/service/ledger.h"
#include "gateway/vault/vault.h"
#include "protocol/heartbeat.h"

namespace zkv::gateway {

class LedgerHeartbeats : public Heartbeats {
 public:
  /// Told of a host that was fine and is so no more.
  using Tell = std::function<void(PersonalNews)>;

  /// All outlive this.
  LedgerHeartbeats(Desk& desk, Ledger& ledger, Errands& errands, Vault& vault, const Identity& identity,
                   std::stop_token stop, Tell tell)
      : desk_(desk),
        ledger_(ledger),
        errands_(errands),
        vault_(vault),
        identity_(identity),
        stop_(std::move(stop)),
        tell_(std::move(tell)) {}

  boost::asio::awaitable<Result<BeatAnswer>> beat(protocol::Envelope envelope, std::string address) override;
  boost::asio::awaitable<Result<std::vector<LastHeartbeat>>> last() override;

 private:
  /// A heartbeat that was looked at.
  struct Heard {
    BeatVerdict verdict = BeatVerdict::kUnknownHost;
    std::string host = {};  ///< its name
    LastHeartbeat heartbeat = {};
    bool is_worse = false;  ///< the host has findings now, and had none
  };

  Result<Heard> hear(const protocol::Envelope& envelope, const std::string& address);
  [[nodiscard]] Result<protocol::Heartbeat> read(const protocol::Envelope& envelope, const Host& host) const;
  Result<> keep(Heard& heard, Host host, bool was_fine);
  /// Counts one more of the host; false, and nothing is counted, where the hour's are used up.
  bool takes_one_more(const std::string& host, Time now);
  boost::asio::awaitable<protocol::HeartbeatAnswer> look(std::string host);

  Desk& desk_;
  Ledger& ledger_;
  Errands& errands_;
  Vault& vault_;
  const Identity& identity_;
  std::stop_token stop_;
  Tell tell_;
  std::map<std::string, std::deque<Time>> taken_;  ///< by host, within the last hour; of the ledger's thread
};

}  // namespace zkv::gateway
