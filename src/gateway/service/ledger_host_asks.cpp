// From a signed message to a pending request, and what its host may hear and say of it.
#include "gateway/service/ledger_host_asks.h"

#include <fmt/format.h>

#include <utility>

#include "gateway/service/cards.h"
#include "gateway/service/host_clock.h"
#include "gateway/service/request_id.h"
#include "gateway/service/suspend.h"
#include "gateway/service/watching.h"
#include "gateway/signature/host_signature.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

/// People are told of one host at most so often within so long.
constexpr std::size_t kMostNotices = 3;
constexpr std::chrono::seconds kNoticesWithin{90};

/// What it is for, for the audit log.
std::string kind_of(const protocol::RequestMessage& message) {
  if (message.is_drill) return " (drill) ";
  return message.successor ? " (new keys) " : " ";
}

Error no_such_request() {
  return Error::not_found("there is no such request, or it ended long ago").remedy("ask again");
}

}  // namespace

asio::awaitable<Result<AskAnswer>> LedgerHostAsks::ask(protocol::Envelope envelope, std::string address) {
  const auto entry = std::make_shared<Entry>();
  entry->envelope = std::move(envelope);
  entry->address = printable(std::move(address));
  auto start = [this, entry](Completion<Result<AskAnswer>>::Handler handler) {
    const auto completion = std::make_shared<Completion<Result<AskAnswer>>>(std::move(handler));
    ledger_->submit({[this, entry] { return take(*entry); },
                     [this, entry, completion](const Result<>& committed) {
                       if (!committed) return (*completion)(tl::unexpected(committed.error()));
                       announce(*entry);
                       (*completion)(std::move(entry->answer));
                     }});
  };
  co_return co_await suspend<Result<AskAnswer>>(std::move(start));
}

void LedgerHostAsks::announce(const Entry& entry) {
  desk_.carry_out(entry.decisions);
  if (entry.answer.verdict != AskVerdict::kTaken) return;
  const auto& request = entry.answer.taken->request;
  desk_.watchers().wake(request.id);
  if (entry.is_told) notices_.send(request, entry.host, entry.message.is_drill);
}

Result<> LedgerHostAsks::take(Entry& entry) {
  auto& store = desk_.store();
  ZKV_TRY(auto host, store.hosts().find_host(to_hex(entry.envelope.signer)));
  if (!host || host->is_revoked()) {
    entry.answer.verdict = AskVerdict::kUnknownHost;
    return {};
  }
  ZKV_CHECK(read(entry, *host));
  const auto hash = protocol::hash_of(entry.envelope);
  entry.hash.assign(hash.begin(), hash.end());
  ZKV_TRY(auto known, store.find_by_token(entry.hash));
  if (known && known->host == host->id) {
    ZKV_TRY(auto seen, look(entry.hash, entry.decisions));
    entry.answer = {AskVerdict::kAgain, std::move(seen)};
  } else if (is_far(entry.message.time, now())) {
    entry.answer.verdict = AskVerdict::kWrongClock;
  } else if (is_stale(entry.message.time, host->asked_at, now())) {
    entry.answer.verdict = AskVerdict::kStale;
  } else if (desk_.deadlines().size() - desk_.asks().size() >= options_.pending_limit) {
    entry.answer.verdict = AskVerdict::kTooMany;
  } else {
    const bool yields = entry.message.is_drill || entry.message.successor;
    ZKV_TRY(const bool is_in_the_way, yields ? boot_waits(host->id) : Result<bool>(false));
    if (!is_in_the_way) return open(entry, std::move(*host));
    entry.answer.verdict = AskVerdict::kBootWaits;
  }
  return {};
}

/// Whether the host has an open request that is neither a drill nor for new keys; a damaged one may be one.
Result<bool> LedgerHostAsks::boot_waits(const std::string& host) {
  ZKV_TRY(const auto open, desk_.store().hosts().open_requests_of(host));
  for (const auto& request : open.requests) {
    const auto card = card_of(desk_.store(), request);
    if (!card && !is_damage(card.error())) return tl::unexpected(card.error());
    if (!card || (!card->message->is_drill && !card->message->successor)) return true;
  }
  return !open.damaged.empty();
}

Result<> LedgerHostAsks::read(Entry& entry, const Host& host) const {
  ZKV_TRY(entry.message, open_from_host<protocol::RequestMessage>(entry.envelope, host.identity));
  if (entry.message.host != entry.envelope.signer) {
    return Error::denied("the request speaks of another host than the one that signed it");
  }
  if (!crypto::seal_to(entry.message.key, {})) {
    return Error::denied("no box can be sealed to the key in the request").remedy("ask with a new key");
  }
  if (entry.message.gateway != options_.identity->id()) {
    return Error::denied("the request is meant for another gateway");
  }
  if (to_hex(entry.message.repository) != host.repository) {
    return Error::denied("the request is for another repository than the one that was enrolled")
        .remedy("enrol the host again: zkvgateway host invite NAME");
  }
  return {};
}

/// The host's older requests end here, and what was approved for their keys is not released to this one.
Result<> LedgerHostAsks::open(Entry& entry, Host host) {
  auto& store = desk_.store();
  Request request;
  request.id = random_request_id();
  request.address = entry.address;
  request.created_at = now();
  request.expires_at = request.created_at + options_.host_wait;
  request.token_hash = entry.hash;
  request.host = host.id;
  ZKV_TRY(const auto older, store.hosts().open_requests_of(host.id));
  for (const auto& other : older.requests) {
    ZKV_CHECK(desk_.apply(other, event::Supersede{request.id}, "gateway", entry.decisions));
  }
  ZKV_CHECK(desk_.open(request, host.name + kind_of(entry.message) + to_hex(entry.hash)));
  ZKV_TRY(const bool is_known, store.hosts().knows_address(host.id, entry.address));
  const auto kernel = printable(entry.message.evidence.kernel);
  const auto boot = printable(entry.message.evidence.boot_id);
  ZKV_CHECK(store.hosts().insert_ask(
      request.id,
      {protocol::to_json(entry.envelope), !is_known, !host.kernel.empty() && kernel != host.kernel,
       host.released_at, !older.requests.empty() && host.boot != boot}));
  host.asked_at = entry.message.time;
  host.seen_at = request.created_at;
  host.address = entry.address;
  host.boot = boot;
  host.kernel = kernel;
  ZKV_CHECK(store.hosts().update(host));
  desk_.deadlines().set(request.id, request.expires_at);
  entry.host = host.name;
  ZKV_TRY(request, boots_.use(host, entry.message, std::move(request), entry.decisions));
  entry.is_told = request.state == State::kPending && take_turn(host.id, request.created_at);
  HostRequest taken{std::move(request), std::nullopt};
  if (taken.request.state == State::kPending) {
    ZKV_TRY(taken.asked, people_who_decide());
  }
  entry.answer = {AskVerdict::kTaken, std::move(taken)};
  return {};
}

/// Those who hold a passkey.
Result<std::size_t> LedgerHostAsks::people_who_decide() {
  auto& people = desk_.store().people();
  ZKV_TRY(const auto approvers, people.all_approvers());
  std::size_t number = 0;
  for (const auto& approver : approvers) {
    ZKV_TRY(const auto passkeys, people.passkeys_of(approver.id));
    number += passkeys.empty() ? 0U : 1U;
  }
  return number;
}

bool LedgerHostAsks::take_turn(const std::string& host, Time now) {
  auto& told = told_[host];
  while (!told.empty() && told.front() + kNoticesWithin <= now) told.pop_front();
  if (told.size() >= kMostNotices) return false;
  told.push_back(now);
  return true;
}

Result<Request> LedgerHostAsks::find(const Bytes& hash) {
  ZKV_TRY(auto request, desk_.store().find_by_token(hash));
  if (!request || request->host.empty()) return no_such_request();
  return std::move(*request);
}

Result<HostRequest> LedgerHostAsks::look(const Bytes& hash, Decisions& decisions) {
  HostRequest seen;
  ZKV_TRY(seen.request, find(hash));
  if (seen.request.state == State::kPending) {
    ZKV_TRY(seen.asked, people_who_decide());
  }
  if (seen.request.state == State::kApproved && !seen.request.reason.empty()) {
    ZKV_TRY(seen.request, desk_.apply(seen.request, event::Reattached{}, "gateway", decisions));
  }
  if (seen.request.state == State::kReleased && now() < seen.request.expires_at) {
    ZKV_TRY(seen.release, desk_.store().hosts().release_of(seen.request.id));
  }
  return seen;
}

asio::awaitable<Result<HostRequest>> LedgerHostAsks::state(Bytes hash) {
  return on_ledger<HostRequest>(*ledger_, desk_, [this, hash = std::move(hash)](Decisions& decisions) {
    return look(hash, decisions);
  });
}

asio::awaitable<bool> LedgerHostAsks::change_of(Request seen) {
  return wait_for_change(ledger_, desk_, seen.id, [this, seen]() -> Result<bool> {
    ZKV_TRY(const auto request, desk_.store().find(seen.id));
    return request.state != seen.state || request.reason != seen.reason;
  });
}

asio::awaitable<Result<Request>> LedgerHostAsks::word(Bytes hash, protocol::Envelope envelope) {
  return on_ledger<Request>(
      *ledger_, desk_, [this, hash = std::move(hash), envelope = std::move(envelope)](Decisions& decisions) {
        return hear(hash, envelope, decisions);
      });
}

Result<Request> LedgerHostAsks::hear(const Bytes& hash, const protocol::Envelope& envelope,
                                     Decisions& decisions) {
  ZKV_TRY(const auto request, find(hash));
  ZKV_TRY(const auto host, desk_.store().hosts().host_called(request.host));
  if (host.is_revoked()) return Error::denied("the host was revoked");
  ZKV_TRY(const auto word, open_from_host<protocol::Word>(envelope, host.identity));
  if (!std::equal(hash.begin(), hash.end(), word.request.begin(), word.request.end())) {
    return Error::denied("the word is about another request");
  }
  const auto actor = "host:" + host.name;
  if (word.kind == protocol::Word::Kind::kCancel) {
    return desk_.apply(request, event::Cancel{actor, "the host cancelled it"}, actor, decisions);
  }
  if (request.state == State::kAcknowledged) return request;
  if (request.state != State::kReleased) {
    return Error::conflict(
        fmt::format("request {} is {}, and was not released", request.id.text, to_text(request.state)));
  }
  return desk_.apply(request, event::Acknowledged{}, actor, decisions);
}

}  // namespace zkv::gateway
