// One transaction for what the host says, then a look into the vault for what it is told.
#include "gateway/service/ledger_heartbeats.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/service/enrolments.h"
#include "gateway/service/host_clock.h"
#include "gateway/service/suspend.h"
#include "gateway/signature/host_signature.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

/// A drift guard says one a day. Each can be a row of the audit log, and every other ring a phone.
constexpr std::size_t kTakenAnHour = 30;

std::string summary_of(const LastHeartbeat& heartbeat) {
  const auto& lines = heartbeat.findings;
  return fmt::format("{} finding{}{}{}", heartbeat.count, heartbeat.count == 1 ? "" : "s",
                     lines.empty() ? "" : ": ", lines.empty() ? std::string() : lines.front());
}

/// What is to be told of a share that could not be had.
protocol::ShareState state_after(const Error& failure) {
  const bool is_final = failure.kind() == ErrorKind::kNotFound || failure.kind() == ErrorKind::kDenied ||
                        failure.kind() == ErrorKind::kWrongKey;
  return is_final ? protocol::ShareState::kMissing : protocol::ShareState::kUnknown;
}

}  // namespace

asio::awaitable<Result<BeatAnswer>> LedgerHeartbeats::beat(protocol::Envelope envelope, std::string address) {
  std::function<Result<Heard>(Decisions&)> hearing = [this, &envelope, &address](Decisions&) {
    return hear(envelope, printable(address));
  };
  const auto heard = co_await on_ledger<Heard>(ledger_, desk_, std::move(hearing));
  if (!heard) co_return tl::unexpected(heard.error());
  if (heard->verdict != BeatVerdict::kTaken) co_return BeatAnswer{heard->verdict};
  if (heard->is_worse) {
    tell_({PersonalNews::What::kHostFindings, {}, heard->host, summary_of(heard->heartbeat)});
  }
  std::string host = heard->heartbeat.host;
  auto answer = co_await look(std::move(host));
  answer.heartbeat = protocol::hash_of(envelope);
  answer.host = envelope.signer;
  answer.gateway = identity_.id();
  answer.time = now();
  co_return BeatAnswer{BeatVerdict::kTaken,
                       protocol::to_json(protocol::seal_message(answer, identity_.signing()))};
}

Result<LedgerHeartbeats::Heard> LedgerHeartbeats::hear(const protocol::Envelope& envelope,
                                                       const std::string& address) {
  auto& hosts = desk_.store().hosts();
  ZKV_TRY(auto host, hosts.find_host(to_hex(envelope.signer)));
  if (!host || host->is_revoked()) return Heard{BeatVerdict::kUnknownHost};
  ZKV_TRY(const auto message, read(envelope, *host));
  if (is_far(message.time, now())) return Heard{BeatVerdict::kWrongClock};
  ZKV_TRY(const auto before, hosts.heartbeat_of(host->id));
  if (before && is_stale(message.time, before->said_at, now())) return Heard{BeatVerdict::kStale};
  if (!takes_one_more(host->id, now())) return Heard{BeatVerdict::kTooMany};
  Heard heard{BeatVerdict::kTaken, host->name};
  heard.heartbeat = {host->id,           now(),        message.time, address, printable(message.version),
                     message.generation, message.count};
  for (const auto& line : message.findings) {
    heard.heartbeat.findings.push_back(protocol::as_finding(line));
  }
  ZKV_CHECK(keep(heard, std::move(*host), !before || before->count == 0));
  return heard;
}

Result<protocol::Heartbeat> LedgerHeartbeats::read(const protocol::Envelope& envelope,
                                                   const Host& host) const {
  ZKV_TRY(auto message, open_from_host<protocol::Heartbeat>(envelope, host.identity));
  if (message.host != envelope.signer) {
    return Error::denied("the heartbeat speaks of another host than the one that signed it");
  }
  if (message.gateway != identity_.id()) {
    return Error::denied("the heartbeat is meant for another gateway");
  }
  if (to_hex(message.repository) != host.repository) {
    return Error::denied("the heartbeat is of another repository than the one that was enrolled")
        .remedy("enrol the host again: zkvgateway host invite NAME");
  }
  return message;
}

bool LedgerHeartbeats::takes_one_more(const std::string& host, Time now) {
  auto& taken = taken_[host];
  while (!taken.empty() && taken.front() + std::chrono::hours(1) <= now) taken.pop_front();
  if (taken.size() >= kTakenAnHour) return false;
  taken.push_back(now);
  return true;
}

/// Only a change is a row of the audit log: what a thousand hosts say daily is not.
Result<> LedgerHeartbeats::keep(Heard& heard, Host host, bool was_fine) {
  const bool is_fine = heard.heartbeat.count == 0;
  heard.is_worse = was_fine && !is_fine;
  ZKV_CHECK(desk_.store().hosts().put(heard.heartbeat));
  if (is_fine == was_fine) return {};
  const auto words = is_fine ? std::string("fine again") : summary_of(heard.heartbeat);
  return desk_.note(is_fine ? "host.fine" : "host.findings", "", "host:" + host.name,
                    fmt::format("{}: {}", host.id, words));
}

asio::awaitable<protocol::HeartbeatAnswer> LedgerHeartbeats::look(std::string host) {
  std::function<Result<SecretFacts>()> work = [this, name = share_name(host)] {
    return vault_.look(name, stop_);
  };
  const auto facts = co_await as_errand<SecretFacts>(errands_, std::move(work));
  protocol::HeartbeatAnswer answer;
  if (facts) {
    answer.share = protocol::ShareState::kThere;
    answer.share_expires = facts->expires;
  } else {
    answer.share = state_after(facts.error());
    answer.why = printable(facts.error().message());
  }
  co_return answer;
}

asio::awaitable<Result<std::vector<LastHeartbeat>>> LedgerHeartbeats::last() {
  return on_ledger<std::vector<LastHeartbeat>>(
      ledger_, desk_, [this](Decisions&) { return desk_.store().hosts().heartbeats(); });
}

}  // namespace zkv::gateway
