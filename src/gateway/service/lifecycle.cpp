// Start, stop, and what the service does by itself in between: expiry, gathered refusals, tidying.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/service/ledger_service.h"

namespace zkv::gateway {
namespace {

constexpr std::size_t kErrandThreads = 4;
constexpr std::chrono::hours kTidying{1};
/// As the seed: what ended is kept for a week.
constexpr std::chrono::hours kKept{24 * 7};
constexpr std::chrono::seconds kRetry{1};

Result<> check_options(const ServiceOptions& options) {
  if (!options.identity) return Error::internal("the service got no identity");
  if (options.pin_key.size() != 32) return Error::internal("the service got no PIN key of 32 bytes");
  if (options.pin_length < 4 || options.pin_length > 18) {
    return Error::invalid("a PIN has 4 to 18 digits").remedy("set pin-length to a number within");
  }
  if (options.max_wait.count() <= 0) {
    return Error::invalid("max-wait is not a positive number of seconds").remedy("set max-wait, as to 60");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Service>> Service::start(std::unique_ptr<Store> store, std::unique_ptr<Vault> vault,
                                                std::vector<std::unique_ptr<Channel>> channels,
                                                ServiceOptions options) {
  ZKV_CHECK(check_options(options));
  auto service = std::make_unique<LedgerService>(std::move(store), std::move(vault), std::move(channels),
                                                 std::move(options));
  ZKV_CHECK(service->begin());
  return service;
}

LedgerService::LedgerService(std::unique_ptr<Store> store, std::unique_ptr<Vault> vault,
                             std::vector<std::unique_ptr<Channel>> channels, ServiceOptions options)
    : store_(std::move(store)),
      vault_(std::move(vault)),
      options_(std::move(options)),
      errands_(kErrandThreads),
      patient_errands_(kErrandThreads),
      ledger_(std::make_shared<Ledger>(*store_, options_.on_store_failure)),
      desk_(*store_, options_.policy),
      releases_(desk_, *ledger_, errands_, *vault_, options_, stop_.get_token()),
      notices_(desk_, *ledger_, errands_, patient_errands_, options_, std::move(channels), stop_.get_token(),
               [this](std::string kind, std::string address, std::string detail) {
                 LedgerService::note_refusal(std::move(kind), std::move(address), std::move(detail));
               }),
      asks_(desk_, notices_, options_,
            [this](const std::string& kind, const std::string& address, const RequestId& request) {
              write_rows(refusals_.note(kind, address, "request " + request.text, now(), request.text));
            }),
      pins_(desk_, options_),
      enrolments_(desk_, *ledger_, errands_, *vault_, *options_.identity, stop_.get_token()),
      boots_(desk_, ledger_, *options_.identity),
      host_asks_(desk_, ledger_, notices_, boots_, options_),
      people_(
          desk_, ledger_, boots_, options_,
          [this](std::string kind, std::string address, std::string detail) {
            LedgerService::note_refusal(std::move(kind), std::move(address), std::move(detail));
          },
          [this](const ApproverId& approver, PersonalNews news) { push_.tell(approver, std::move(news)); }),
      push_(desk_, ledger_, people_, options_.push),
      totps_(
          desk_, ledger_, people_, options_,
          [this](std::string kind, std::string address, std::string detail) {
            LedgerService::note_refusal(std::move(kind), std::move(address), std::move(detail));
          },
          [this](const ApproverId& approver, PersonalNews news) { push_.tell(approver, std::move(news)); }),
      heartbeats_(desk_, *ledger_, errands_, *vault_, *options_.identity, stop_.get_token(),
                  [this](PersonalNews news) { push_.tell_all(std::move(news)); }),
      checkpoints_(desk_, options_, now()) {
  desk_.on_unanswered([this](const Request& request) {
    LedgerService::note_refusal("request.unanswered", request.address,
                                fmt::format("request {}: {}", request.id.text, to_text(request.state)));
  });
  desk_.on_recover([this](const Request& request) {
    if (boots_.is_wanted_by(request)) return boots_.grant(request);
    releases_.want(request);
  });
}

LedgerService::~LedgerService() { LedgerService::stop(); }

Result<> LedgerService::begin() {
  ZKV_CHECK(checkpoints_.check_kept());
  Decisions decisions;
  ZKV_CHECK(store_->transaction([&]() -> Result<> {
    ZKV_CHECK(desk_.note("gateway.start", "", "gateway", ""));
    ZKV_CHECK(settle_all(decisions));
    return store_->forget_before(now() - kKept);
  }));
  desk_.carry_out(decisions);
  ZKV_CHECK(notices_.remember_turns(now()));
  next_tidying_ = now() + kTidying;
  ledger_->start({[this] { return next_due(); }, [this](Time now) { return due(now); }});
  return {};
}

/// A damaged one stays as it is, for people to see.
Result<> LedgerService::settle_all(Decisions& decisions) {
  ZKV_TRY(auto open, store_->open_requests());
  ZKV_CHECK(remember_asks(open.requests));
  for (const auto& request : open.requests) ZKV_CHECK(settle(request, decisions));
  const auto all = open.requests.size() + open.damaged.size();
  ZKV_TRY(const auto cards, cards_of(*store_, std::move(open), all));
  for (const auto& id : cards.damaged) tell_damaged(id);
  return {};
}

/// What nobody was told of has no row of its ask yet, and gets one if somebody decides it; one that came back
/// from another address gets that.
Result<> LedgerService::remember_asks(const std::vector<Request>& open) {
  ZKV_TRY(const auto logged, store_->logged_asks());
  for (const auto& request : open) {
    if (!request.host.empty()) continue;
    const auto row = logged.find(request.id.text);
    Request known = request;
    if (row != logged.end()) known.address = row->second;
    desk_.asks().enter(known, row != logged.end());
  }
  return {};
}

void LedgerService::tell_damaged(const std::string& id) const {
  if (options_.on_damaged_request) options_.on_damaged_request(damaged_request(printable(id)));
}

/// A request from before the start: its client went with the last run, and comes back only if it has a token.
/// What was approved for an enrolled host is released now.
Result<> LedgerService::settle(const Request& request, Decisions& decisions) {
  Event event = event::TimePassed{};
  if (!request.host.empty()) event = event::Reattached{};
  if (!request.token_hash)
    event = event::Cancel{"gateway", "the gateway was started anew, the client was gone"};
  ZKV_CHECK(desk_.apply(request, event, "gateway", decisions));
  return {};
}

std::optional<Time> LedgerService::next_due() {
  const auto expiry = desk_.deadlines().next().value_or(next_tidying_);
  const auto refusal = refusals_.next().value_or(next_tidying_);
  return std::min({expiry, refusal, next_tidying_, checkpoints_.next()});
}

Command LedgerService::due(Time now) {
  auto ids = desk_.deadlines().due(now);
  auto decisions = std::make_shared<Decisions>();
  return {
      [this, now, ids, decisions]() -> Result<> {
        for (const auto& id : ids) ZKV_CHECK(expire(id, *decisions));
        ZKV_CHECK(append(refusals_.ended(now)));
        if (now >= next_tidying_) ZKV_CHECK(store_->forget_before(now - kKept));
        return checkpoints_.write(now, false);
      },
      [this, now, ids, decisions](const Result<>& committed) {
        if (now >= next_tidying_) next_tidying_ = now + kTidying;
        checkpoints_.keep(now, committed.has_value());
        if (committed) return desk_.carry_out(*decisions);
        for (const auto& id : ids) desk_.deadlines().set(id, now + kRetry);
      },
  };
}

Result<> LedgerService::expire(const RequestId& id, Decisions& decisions) {
  const auto request = store_->find(id);
  if (request) {
    ZKV_CHECK(desk_.apply(*request, event::TimePassed{}, "gateway", decisions));
    return {};
  }
  if (!is_damage(request.error())) return tl::unexpected(request.error());
  if (request.error().kind() == ErrorKind::kCorrupt) tell_damaged(id.text);
  desk_.drop(id, decisions);
  return {};
}

void LedgerService::note_refusal(std::string kind, std::string address, std::string detail) {
  write_rows(refusals_.note(printable(std::move(kind)), printable(std::move(address)),
                            printable(std::move(detail)), now()));
}

void LedgerService::write_rows(const std::vector<audit::Event>& rows) {
  if (rows.empty()) return;
  ledger_->submit({[this, rows] { return append(rows); }, [](const Result<>&) {}});
}

Result<> LedgerService::append(const std::vector<audit::Event>& rows) {
  for (const auto& row : rows) ZKV_CHECK(store_->append(row));
  return {};
}

void LedgerService::stop() {
  std::call_once(stopped_, [this] {
    stop_.request_stop();
    errands_.close();
    patient_errands_.close();
    push_.close();
    write_rows(refusals_.all());
    ledger_->close(farewell());
  });
}

/// The last command: cancels the requests of clients that cannot come back, and tells all who wait.
Command LedgerService::farewell() {
  auto decisions = std::make_shared<Decisions>();
  return {
      [this, decisions]() -> Result<> {
        for (const auto& id : desk_.waiting().requests()) {
          const auto request = store_->find(id);
          if (!request && is_damage(request.error())) continue;
          if (!request) return tl::unexpected(request.error());
          if (request->token_hash) continue;
          ZKV_CHECK(
              desk_.apply(*request, event::Cancel{"gateway", "the gateway stopped"}, "gateway", *decisions));
        }
        ZKV_CHECK(desk_.note("gateway.stop", "", "gateway", ""));
        return checkpoints_.write(now(), true);
      },
      [this](const Result<>& committed) {
        checkpoints_.keep(now(), committed.has_value());
        desk_.watchers().wake_all();
        for (const auto& id : desk_.waiting().requests()) {
          desk_.waiting().answer(id, Answer::Outcome::kStopping);
        }
      },
  };
}

}  // namespace zkv::gateway
