// Vault calls, and the transactions that release what they bring.
#include "gateway/service/releases.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace zkv::gateway {

Releases::Releases(Desk& desk, Ledger& ledger, boost::asio::thread_pool& pool, Vault& vault,
                   const ServiceOptions& options, std::stop_token stop)
    : desk_(desk),
      ledger_(ledger),
      pool_(pool),
      vault_(vault),
      secret_(options.secret),
      on_failure_(options.on_vault_failure),
      stop_(std::move(stop)) {}

void Releases::want(const RequestId& id) {
  wanted_.push_back(id);
  if (!running_) recover();
}

void Releases::recover() {
  running_ = true;
  boost::asio::post(pool_, [this] {
    auto share = vault_.recover(secret_, stop_);
    if (!share && on_failure_ && !was_stopped(share.error())) on_failure_(share.error());
    const auto recovered = std::make_shared<const Recovered>(std::move(share).map(
        [](SecretBytes&& bytes) { return std::make_shared<const SecretBytes>(std::move(bytes)); }));
    ledger_.submit(release(recovered));
  });
}

Command Releases::release(const std::shared_ptr<const Recovered>& recovered) {
  struct Batch {
    std::vector<RequestId> ids;
    Decisions decisions;
  };
  auto batch = std::make_shared<Batch>();
  return {
      [this, recovered, batch] {
        batch->ids = std::exchange(wanted_, {});
        return release_all(*recovered, batch->ids, batch->decisions);
      },
      [this, recovered, batch](const Result<>& committed) {
        running_ = false;
        if (committed) {
          desk_.carry_out(batch->decisions, recovered->value_or(nullptr));
        } else {
          // Nothing was released: the requests still are approved, and their clients may ask again.
          for (const auto& id : batch->ids) desk_.waiting().answer(id, Answer::Outcome::kVaultFailed);
        }
        if (!wanted_.empty()) recover();
      },
  };
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
    if (!desk_.waiting().holds(id)) continue;
    ZKV_TRY(const auto request, desk_.store().find(id));
    ZKV_CHECK(desk_.apply(request, event, "gateway", decisions));
  }
  return {};
}

}  // namespace zkv::gateway
