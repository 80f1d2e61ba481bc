// Vault calls, and the transactions that release what they bring.
#include "gateway/service/releases.h"

#include <algorithm>
#include <utility>

#include "gateway/service/cards.h"
#include "gateway/service/enrolments.h"
#include "gateway/service/host_release.h"
#include "gateway/service/succession.h"

namespace zkv::gateway {

Releases::Releases(Desk& desk, Ledger& ledger, Errands& errands, Vault& vault, const ServiceOptions& options,
                   std::stop_token stop)
    : desk_(desk),
      ledger_(ledger),
      errands_(errands),
      vault_(vault),
      options_(options),
      stop_(std::move(stop)) {}

void Releases::want(const Request& request) {
  const auto secret = request.host.empty() ? options_.secret : share_name(request.host);
  auto& wish = wishes_[secret];
  wish.ids.push_back(request.id);
  if (!wish.is_running) recover(secret);
}

void Releases::recover(const std::string& secret) {
  wishes_[secret].is_running = errands_.submit([this, secret] {
    auto share = vault_.recover(secret, stop_);
    if (!share && options_.on_vault_failure && !was_stopped(share.error())) {
      options_.on_vault_failure(share.error());
    }
    const auto recovered = std::make_shared<const Recovered>(std::move(share).map(
        [](SecretBytes&& bytes) { return std::make_shared<const SecretBytes>(std::move(bytes)); }));
    ledger_.submit(release(secret, recovered));
  });
}

Command Releases::release(const std::string& secret, const std::shared_ptr<const Recovered>& recovered) {
  struct Batch {
    std::vector<RequestId> ids;
    Decisions decisions;
  };
  auto batch = std::make_shared<Batch>();
  return {
      [this, secret, recovered, batch] {
        batch->ids = std::exchange(wishes_[secret].ids, {});
        return release_all(*recovered, batch->ids, batch->decisions);
      },
      [this, secret, recovered, batch](const Result<>& committed) {
        if (committed) {
          desk_.carry_out(batch->decisions, recovered->value_or(nullptr));
        } else {
          // Nothing was released: the requests still are approved, and their clients may ask again.
          for (const auto& id : batch->ids) {
            desk_.waiting().answer(id, Answer::Outcome::kVaultFailed);
            desk_.watchers().wake(id);
          }
        }
        go_on(secret);
      },
  };
}

void Releases::go_on(const std::string& secret) {
  const auto wish = wishes_.find(secret);
  wish->second.is_running = false;
  if (wish->second.ids.empty()) {
    wishes_.erase(wish);
  } else {
    recover(secret);
  }
}

/// A stop interrupted the vault: that is nobody's failure, and the clients hear of the stop.
bool Releases::was_stopped(const Error& failure) const {
  return failure.kind() == ErrorKind::kInterrupted && stop_.stop_requested();
}

Result<> Releases::release_all(const Recovered& recovered, const std::vector<RequestId>& ids,
                               Decisions& decisions) {
  if (!recovered && was_stopped(recovered.error())) return {};
  const Event event = recovered ? Event(event::ShareRecovered{})
                                : Event(event::ShareFailed{printable(recovered.error().message())});
  for (const auto& id : ids) {
    const auto request = desk_.store().find(id);
    if (!request && is_damage(request.error())) continue;
    if (!request) return tl::unexpected(request.error());
    if (!request->host.empty()) {
      ZKV_CHECK(release_to_host(*request, recovered, decisions));
    } else if (desk_.waiting().holds(id)) {
      ZKV_CHECK(desk_.apply(*request, event, "gateway", decisions));
    }
  }
  return {};
}

/// SHA-256 of the evidence of each approval, one that was given beforehand among them.
Result<std::vector<crypto::Sha256>> Releases::approvals_of(const Request& request) {
  ZKV_TRY(auto approvals, desk_.store().people().approvals_of(request.id));
  ZKV_TRY(const auto beforehand, desk_.store().hosts().boot_approval_of(request.host));
  const bool is_used_here = beforehand && beforehand->used_by == request.id.text;
  if (is_used_here && beforehand->evidence.size() == sizeof(crypto::Sha256)) {
    std::ranges::copy(beforehand->evidence, approvals.emplace_back().begin());
  }
  return approvals;
}

Result<Releases::Answered> Releases::release_for(const Request& request, const Recovered& recovered) {
  if (!recovered) return tl::unexpected(recovered.error());
  ZKV_TRY(auto card, card_of(desk_.store(), request));
  ZKV_CHECK(check_successor(desk_.store(), *card.message));
  ZKV_TRY(auto approvals, approvals_of(request));
  ZKV_TRY(auto envelope, make_release(*options_.identity, request, card.ask->envelope, **recovered,
                                      std::move(approvals), now()));
  return Answered{std::move(envelope), std::move(*card.message)};
}

/// One request that cannot be answered must not hold up the others: that is a failure of its own.
Result<> Releases::release_to_host(const Request& request, const Recovered& recovered, Decisions& decisions) {
  const auto answered = release_for(request, recovered);
  const Event event = answered ? Event(event::ShareRecovered{})
                               : Event(event::ShareFailed{printable(answered.error().message())});
  ZKV_TRY(const auto next, desk_.apply(request, event, "gateway", decisions));
  const bool is_released = request.state == State::kApproved && next.state == State::kReleased;
  return is_released ? remember(next, *answered) : Result<>();
}

Result<> Releases::remember(const Request& released, const Answered& answered) {
  auto& hosts = desk_.store().hosts();
  ZKV_CHECK(hosts.insert_release(released.id, answered.envelope));
  ZKV_TRY(auto host, hosts.host_called(released.host));
  ZKV_CHECK(invite_successor(desk_, released, host, answered.message));
  host.released_at = now();
  ZKV_CHECK(hosts.remember_address(host.id, released.address));
  return hosts.update(host);
}

}  // namespace zkv::gateway
