// A host that enrolled anew takes its own place: the new share is seen in the vault before the old one is
// destroyed.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/service/host_clock.h"
#include "gateway/service/ledger_enrolments.h"
#include "gateway/service/suspend.h"
#include "gateway/signature/host_signature.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

Error not_its_successor() {
  return Error::denied("this host is nobody's successor, or not that one's").named("unknown-host");
}

Result<> check_time(const protocol::Succession& word) {
  if (!is_far(word.time, now())) return {};
  return Error::conflict(
             "the message's time is more than 300 s from the gateway's, which is in GET /v2/gateway")
      .named("clock");
}

}  // namespace

/// By which invite it came is what makes a host another's successor.
Result<LedgerEnrolments::Heir> LedgerEnrolments::heir_of(const protocol::Envelope& envelope) {
  auto& hosts = desk_.store().hosts();
  ZKV_TRY(auto host, hosts.find_host(to_hex(envelope.signer)));
  if (!host || host->is_revoked()) return not_its_successor();
  ZKV_TRY(const auto word, open_from_host<protocol::Succession>(envelope, host->identity));
  if (word.host != envelope.signer || word.gateway != identity_.id()) {
    return Error::denied(
        "the message speaks of another host than the one that signed it, or of another gateway");
  }
  ZKV_CHECK(check_time(word));
  ZKV_TRY(auto predecessor, hosts.find_host(to_hex(word.predecessor)));
  if (!predecessor) return not_its_successor();
  ZKV_TRY(const auto invites, hosts.successions_of(predecessor->id));
  const bool is_heir =
      std::ranges::any_of(invites, [&](const Invite& invite) { return invite.used_by == host->id; });
  if (!is_heir) return not_its_successor();
  return Heir{std::move(*host), std::move(*predecessor)};
}

/// The name goes over, and what is known of the machine, so that nobody is warned of what is not new.
Result<Host> LedgerEnrolments::take_over(Heir heir, std::vector<std::string>& ended, Decisions& decisions) {
  auto& hosts = desk_.store().hosts();
  auto& [host, predecessor] = heir;
  const auto actor = "host:" + host.name;
  const auto name = predecessor.name;
  const bool was_there = !predecessor.is_revoked();
  ZKV_CHECK(end_host(predecessor.id, actor, host.id, ended, decisions));
  if (!was_there) return host;
  host.name = name;
  host.seen_at = now();
  host.address = predecessor.address;
  host.boot = predecessor.boot;
  host.kernel = predecessor.kernel;
  host.released_at = predecessor.released_at;
  ZKV_CHECK(hosts.update(host));
  ZKV_CHECK(hosts.share_addresses(predecessor.id, host.id));
  ZKV_CHECK(
      desk_.note("host.succeed", "", actor, fmt::format("{} {} for {}", name, host.id, predecessor.id)));
  return host;
}

asio::awaitable<Result<Host>> LedgerEnrolments::succeed(protocol::Envelope envelope) {
  std::function<Result<Heir>(Decisions&)> checking = [this, &envelope](Decisions&) {
    return heir_of(envelope);
  };
  auto heir = co_await on_ledger<Heir>(ledger_, desk_, std::move(checking));
  if (!heir) co_return tl::unexpected(heir.error());
  std::function<Result<SecretFacts>()> looking = [this, name = share_name(heir->host.id)] {
    return vault_.look(name, stop_);
  };
  const auto share = co_await as_errand<SecretFacts>(errands_, std::move(looking));
  if (!share) {
    co_return Error::unavailable("the vault does not give the new share, so that the old one is kept: " +
                                 share.error().message());
  }
  std::vector<std::string> ended;
  std::function<Result<Host>(Decisions&)> taking = [this, &envelope,
                                                    &ended](Decisions& decisions) -> Result<Host> {
    ended.clear();
    ZKV_TRY(auto now_heir, heir_of(envelope));
    return take_over(std::move(now_heir), ended, decisions);
  };
  auto host = co_await on_ledger<Host>(ledger_, desk_, std::move(taking));
  if (!host) co_return host;
  const auto by = "host:" + host->name;
  ZKV_CO_CHECK(co_await destroy_shares(ended, by));
  co_return host;
}

}  // namespace zkv::gateway
