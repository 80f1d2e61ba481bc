// Boots over the ledger: how approvals of next boots come, and how the boot uses one up.
#pragma once

#include <memory>
#include <string>

#include "gateway/identity/identity.h"
#include "gateway/service/boots.h"
#include "gateway/service/desk.h"
#include "gateway/service/ledger.h"
#include "protocol/messages.h"

namespace zkv::gateway {

class LedgerBoots : public Boots {
 public:
  /// All outlive this, but the ledger, which may be gone when a client goes away.
  LedgerBoots(Desk& desk, const std::shared_ptr<Ledger>& ledger, const Identity& identity)
      : desk_(desk), ledger_(ledger), identity_(identity) {}

  boost::asio::awaitable<Result<std::vector<BootApproval>>> live() override;
  boost::asio::awaitable<Result<BootApproval>> approve(NewBootApproval wanted) override;
  boost::asio::awaitable<Result<BootApproval>> take_back(std::string host, std::string by) override;

  // On the ledger's thread.

  /// Whether an approved request wants no share, but an approval of the next boot.
  bool is_wanted_by(const Request& request);
  /// Gives it that, in a transaction of its own: the request is released, its release the gateway's word.
  void grant(const Request& request);
  /// In a transaction: the host's new request, approved if its boot was approved beforehand. That uses the
  /// approval up.
  Result<Request> use(const Host& host, const protocol::RequestMessage& message, Request request,
                      Decisions& decisions);
  /// In a transaction: what somebody approved who is an approver no more.
  Result<> end_those_by(const std::string& approver);

 private:
  Result<BootApproval> keep(const Host& host, BootApproval approval, const std::string& request);
  Result<> give(const RequestId& id, Decisions& decisions);
  Result<> end(const BootApproval& approval, const std::string& by);

  Desk& desk_;
  const std::shared_ptr<Ledger>& ledger_;
  const Identity& identity_;
};

}  // namespace zkv::gateway
