// Signed requests over the ledger; and the sealing of shares for them.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "gateway/identity/identity.h"
#include "gateway/service/desk.h"
#include "gateway/service/host_asks.h"
#include "gateway/service/ledger.h"
#include "gateway/service/ledger_boots.h"
#include "gateway/service/notices.h"
#include "gateway/service/service.h"
#include "protocol/messages.h"

namespace zkv::gateway {

class LedgerHostAsks : public HostAsks {
 public:
  /// All outlive this, but the ledger, which may be gone when a client goes away.
  LedgerHostAsks(Desk& desk, const std::shared_ptr<Ledger>& ledger, Notices& notices, LedgerBoots& boots,
                 const ServiceOptions& options)
      : desk_(desk), ledger_(ledger), notices_(notices), boots_(boots), options_(options) {}

  boost::asio::awaitable<Result<AskAnswer>> ask(protocol::Envelope envelope, std::string address) override;
  boost::asio::awaitable<Result<HostRequest>> state(Bytes hash) override;
  boost::asio::awaitable<bool> change_of(Request seen) override;
  boost::asio::awaitable<Result<Request>> word(Bytes hash, protocol::Envelope envelope) override;

 private:
  /// One ask on its way through its transaction.
  struct Entry {
    protocol::Envelope envelope;
    Bytes hash;
    protocol::RequestMessage message;
    std::string address;
    std::string host;  ///< its name
    AskAnswer answer;
    Decisions decisions;
    bool is_told = false;  ///< whether a notice goes out
  };

  Result<> take(Entry& entry);
  void announce(const Entry& entry);
  Result<> read(Entry& entry, const Host& host) const;
  Result<> open(Entry& entry, Host host);
  Result<bool> boot_waits(const std::string& host);
  Result<std::size_t> people_who_decide();
  Result<Request> find(const Bytes& hash);
  Result<HostRequest> look(const Bytes& hash, Decisions& decisions);
  Result<Request> hear(const Bytes& hash, const protocol::Envelope& envelope, Decisions& decisions);
  bool take_turn(const std::string& host, Time now);

  Desk& desk_;
  const std::shared_ptr<Ledger>& ledger_;
  Notices& notices_;
  LedgerBoots& boots_;
  const ServiceOptions& options_;
  std::map<std::string, std::deque<Time>> told_;  ///< when approvers were told of each host
};

}  // namespace zkv::gateway
