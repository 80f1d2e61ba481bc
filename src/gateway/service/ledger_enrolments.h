// Enrolments over the ledger and the vault.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "gateway/identity/identity.h"
#include "gateway/service/desk.h"
#include "gateway/service/enrolments.h"
#include "gateway/service/errands.h"
#include "gateway/service/ledger.h"
#include "gateway/service/under_way.h"
#include "gateway/vault/vault.h"
#include "protocol/messages.h"

namespace zkv::gateway {

class LedgerEnrolments : public Enrolments {
 public:
  /// All outlive this.
  LedgerEnrolments(Desk& desk, Ledger& ledger, Errands& errands, Vault& vault, const Identity& identity,
                   std::stop_token stop)
      : desk_(desk),
        ledger_(ledger),
        errands_(errands),
        vault_(vault),
        identity_(identity),
        stop_(std::move(stop)) {}

  boost::asio::awaitable<Result<MadeInvite>> invite(NewInvite invite, std::string by) override;
  boost::asio::awaitable<Result<Host>> enrol(protocol::Envelope envelope, std::string address) override;
  boost::asio::awaitable<Result<std::vector<Host>>> hosts() override;
  boost::asio::awaitable<Result<Host>> host(std::string name) override;
  boost::asio::awaitable<Result<Host>> rename(std::string name, std::string new_name,
                                              std::string by) override;
  boost::asio::awaitable<Result<Host>> revoke(std::string name, std::string by) override;
  boost::asio::awaitable<Result<Host>> succeed(protocol::Envelope envelope) override;

 private:
  /// A host that comes by an invite, or that came before.
  struct Newcomer {
    Host host;
    Bytes invite;
    bool is_known = false;
    std::shared_ptr<const void> hold = {};  ///< of one that is not known: no other enrols it meanwhile
  };

  /// A host that may take another's place.
  struct Heir {
    Host host;
    Host predecessor;
  };

  [[nodiscard]] Result<protocol::Enrolment> read(const protocol::Envelope& envelope) const;
  Result<Newcomer> admit(const protocol::Enrolment& enrolment);
  Result<Host> settle(const Newcomer& newcomer, const std::string& address);
  /// Errors: kInvalid where it is not sealed to this gateway.
  [[nodiscard]] Result<std::shared_ptr<const SecretBytes>> share_of(
      const protocol::Enrolment& enrolment) const;
  boost::asio::awaitable<Result<Host>> repeat(const protocol::Enrolment& enrolment, Host host);
  /// Keeps the hold for as long as the vault is at it, also where nobody waits for that any more.
  boost::asio::awaitable<Result<bool>> deposit(const protocol::Enrolment& enrolment,
                                               const Newcomer& newcomer);
  boost::asio::awaitable<Result<bool>> destroy(std::string host_id);
  Result<Heir> heir_of(const protocol::Envelope& envelope);
  Result<Host> take_over(Heir heir, std::vector<std::string>& ended, Decisions& decisions);
  /// Revokes the host and all who may succeed it, but for `heir`. `ended` are then the ids of those, revoked
  /// now or before, whose shares are to be destroyed.
  Result<> end_host(const std::string& id, const std::string& by, const std::string& heir,
                    std::vector<std::string>& ended, Decisions& decisions);
  /// The same for those who came by this host's invites. Who took its place is one of them only where the
  /// host itself `waits` to succeed another: then that place is no more than a waiting one.
  Result<> end_successors(const std::string& id, const std::string& by, const std::string& heir, bool waits,
                          std::vector<std::string>& ended, Decisions& decisions);
  /// Revokes this one alone, where it is not yet.
  Result<> end_one(const std::string& id, const std::string& by, std::vector<std::string>& ended,
                   Decisions& decisions);
  Result<> mark_revoked(Host host, const std::string& by, Decisions& decisions);
  boost::asio::awaitable<Result<>> destroy_shares(std::vector<std::string> hosts, std::string by);
  Result<Host> mark_destroyed(const std::string& id, const std::string& by);

  Desk& desk_;
  Ledger& ledger_;
  Errands& errands_;
  Vault& vault_;
  const Identity& identity_;
  std::stop_token stop_;
  UnderWay under_way_;
};

}  // namespace zkv::gateway
