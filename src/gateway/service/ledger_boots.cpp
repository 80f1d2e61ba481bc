// An approval beforehand is a row; the boot that uses it is approved in the transaction of its asking.
#include "gateway/service/ledger_boots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "gateway/service/cards.h"
#include "gateway/service/people.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

bool is_live(const BootApproval& approval, Time now) {
  return approval.used_by.empty() && now < approval.until;
}

/// Boot ids are UUIDs, whose letters may be of either case.
bool is_same_boot(const std::string& left, const std::string& right) {
  return std::ranges::equal(
      left, right, [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

Error no_boot_approval() {
  return Error::not_found("no next boot of this host is approved, or it was used or is over");
}

}  // namespace

asio::awaitable<Result<std::vector<BootApproval>>> LedgerBoots::live() {
  std::function<Result<std::vector<BootApproval>>(Decisions&)> work =
      [this](Decisions&) -> Result<std::vector<BootApproval>> {
    ZKV_TRY(auto all, desk_.store().hosts().boot_approvals());
    std::erase_if(all, [](const BootApproval& one) { return !is_live(one, now()); });
    return all;
  };
  return on_ledger<std::vector<BootApproval>>(*ledger_, desk_, std::move(work));
}

asio::awaitable<Result<BootApproval>> LedgerBoots::approve(NewBootApproval wanted) {
  std::function<Result<BootApproval>(Decisions&)> work =
      [this, wanted = std::move(wanted)](Decisions&) -> Result<BootApproval> {
    if (wanted.within < protocol::kShortestNextBoot || wanted.within > protocol::kLongestNextBoot) {
      return Error::invalid("a next boot is approved for a minute to a day");
    }
    ZKV_TRY(const auto host, desk_.store().hosts().host_called(wanted.host));
    if (host.is_revoked()) return Error::conflict(fmt::format("the host '{}' is revoked", host.name));
    const auto at = now();
    return keep(host, {host.id, wanted.by, at, at + wanted.within, host.boot, wanted.evidence, ""}, "");
  };
  return on_ledger<BootApproval>(*ledger_, desk_, std::move(work));
}

Result<BootApproval> LedgerBoots::keep(const Host& host, BootApproval approval, const std::string& request) {
  ZKV_CHECK(desk_.store().hosts().put(approval));
  ZKV_CHECK(desk_.note("boot.approve", request, approval.by,
                       fmt::format("{} until {} {}", host.name, zkv::to_text(approval.until), host.id)));
  return approval;
}

asio::awaitable<Result<BootApproval>> LedgerBoots::take_back(std::string host, std::string by) {
  std::function<Result<BootApproval>(Decisions&)> work =
      [this, host = std::move(host), by = std::move(by)](Decisions&) -> Result<BootApproval> {
    ZKV_TRY(const auto known, desk_.store().hosts().host_called(host));
    ZKV_TRY(auto approval, desk_.store().hosts().boot_approval_of(known.id));
    if (!approval || !is_live(*approval, now())) return no_boot_approval();
    ZKV_CHECK(end(*approval, by));
    return std::move(*approval);
  };
  return on_ledger<BootApproval>(*ledger_, desk_, std::move(work));
}

Result<> LedgerBoots::end(const BootApproval& approval, const std::string& by) {
  ZKV_CHECK(desk_.store().hosts().end_boot_approval(approval.host));
  return desk_.note("boot.take-back", "", by, approval.host);
}

Result<> LedgerBoots::end_those_by(const std::string& approver) {
  ZKV_TRY(const auto all, desk_.store().hosts().boot_approvals());
  for (const auto& one : all) {
    if (one.by == approver && is_live(one, now())) ZKV_CHECK(end(one, "gateway"));
  }
  return {};
}

bool LedgerBoots::is_wanted_by(const Request& request) {
  if (request.host.empty()) return false;
  const auto card = card_of(desk_.store(), request);
  return card && card->message->next_boot.has_value();
}

void LedgerBoots::grant(const Request& request) {
  auto decisions = std::make_shared<Decisions>();
  ledger_->submit({[this, id = request.id, decisions] { return give(id, *decisions); },
                   [this, decisions](const Result<>& committed) {
                     if (committed) desk_.carry_out(*decisions);
                   }});
}

Result<> LedgerBoots::give(const RequestId& id, Decisions& decisions) {
  auto& store = desk_.store();
  ZKV_TRY(const auto request, store.find(id));
  if (request.state != State::kApproved) return {};
  ZKV_TRY(const auto card, card_of(store, request));
  ZKV_TRY(const auto approvals, store.people().approvals_of(id));
  const auto at = now();
  BootApproval approval{request.host,
                        request.decided_by,
                        at,
                        at + *card.message->next_boot,
                        printable(card.message->evidence.boot_id),
                        {},
                        ""};
  if (!approvals.empty()) approval.evidence.assign(approvals.back().begin(), approvals.back().end());
  ZKV_CHECK(keep(*card.host, approval, id.text));
  const protocol::BootApproval word{*card.envelope_hash, card.message->host, identity_.id(),
                                    approval.until,      approvals,          at};
  ZKV_CHECK(
      store.hosts().insert_release(id, protocol::to_json(protocol::seal_message(word, identity_.signing()))));
  ZKV_CHECK(desk_.apply(request, event::ShareRecovered{}, "gateway", decisions));
  return {};
}

/// Not by the boot in which it was given: a mount that is tried again must not use up what the reboot needs.
Result<Request> LedgerBoots::use(const Host& host, const protocol::RequestMessage& message, Request request,
                                 Decisions& decisions) {
  if (message.next_boot || message.is_drill || message.successor) return request;
  auto& hosts = desk_.store().hosts();
  ZKV_TRY(auto approval, hosts.boot_approval_of(host.id));
  const auto boot = printable(message.evidence.boot_id);
  const bool is_another_boot = !boot.empty() && !is_same_boot(approval ? approval->boot : "", boot);
  const bool fits = approval && is_live(*approval, request.created_at) && is_another_boot;
  if (!fits) return request;
  approval->used_by = request.id.text;
  ZKV_CHECK(hosts.put(*approval));
  ZKV_CHECK(desk_.note("boot.use", request.id.text, "gateway", host.name + " " + host.id));
  const auto by = "planned:" + without_approver(approval->by);
  return desk_.apply(request, event::Approve{by}, by, decisions);
}

}  // namespace zkv::gateway
