// decide → store → effects, for one request at a time.
#include "gateway/service/desk.h"

#include <algorithm>
#include <variant>

namespace zkv::gateway {
namespace {

std::string_view verb_for(State state) {
  switch (state) {
    case State::kPending:
      return "ask";
    case State::kApproved:
      return "approve";
    case State::kReleased:
      return "release";
    case State::kAcknowledged:
      return "acknowledge";
    case State::kDenied:
      return "deny";
    case State::kExpired:
      return "expire";
    case State::kCancelled:
      return "cancel";
    case State::kSuperseded:
      return "supersede";
  }
  return "change";
}

Answer::Outcome outcome_in(State state) {
  switch (state) {
    case State::kDenied:
      return Answer::Outcome::kDenied;
    case State::kExpired:
      return Answer::Outcome::kExpired;
    case State::kApproved:
      return Answer::Outcome::kVaultFailed;
    default:
      return Answer::Outcome::kCancelled;
  }
}

/// Every move is a row, and what a vault said; a wrong PIN is one row of its own for all requests together.
bool deserves_row(const Request& before, const Decision& decision, const Event& event) {
  return decision.next.state != before.state || std::holds_alternative<event::ShareFailed>(event);
}

/// Whether it ended by itself: nobody decided it.
bool is_undecided_end(State state) { return state == State::kExpired || state == State::kCancelled; }

/// A byte of UTF-8 that goes on with the character before it.
bool is_inside_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

std::string kind_of(const Request& before, const Decision& decision, const Event& event) {
  const bool moved = decision.next.state != before.state;
  return moved ? kind_of_row(decision.next.state) : "request." + std::string(name_of(event));
}

}  // namespace

std::string kind_of_row(State state) { return "request." + std::string(verb_for(state)); }

std::string printable(std::string text, std::size_t longest) {
  if (text.size() > longest) {
    while (longest > 0 && is_inside_character(text[longest])) --longest;
    text = text.substr(0, longest) + "…";
  }
  std::ranges::replace_if(
      text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  return text;
}

Result<Request> Desk::apply(const Request& request, const Event& event, const std::string& actor,
                            Decisions& decisions, const std::string& evidence) {
  ZKV_TRY(auto decision, decide(request, policy_, event, now()));
  if (decision.changed) ZKV_CHECK(store_.update(decision.next, request.state));
  if (deserves_row(request, decision, event)) {
    ZKV_CHECK(record(request, decision, event, actor, evidence));
  } else if (request.state != State::kPending) {
    ZKV_CHECK(complete_rows(decision.next));
  }
  decisions.push_back(std::move(decision));
  return decisions.back().next;
}

void Desk::drop(const RequestId& id, Decisions& decisions) {
  Request gone;
  gone.id = id;
  gone.state = State::kCancelled;
  decisions.push_back({std::move(gone), {effect::Answer{}}, true});
}

Result<> Desk::record(const Request& before, const Decision& decision, const Event& event,
                      const std::string& actor, const std::string& evidence) {
  const auto& next = decision.next;
  if (asks_.is_untold(next.id) && is_undecided_end(next.state)) return {};
  ZKV_CHECK(complete_rows(next));
  if (!evidence.empty()) {
    ZKV_CHECK(store_.append({now(), "request.evidence", next.id.text, actor, evidence}));
  }
  return note(kind_of(before, decision, event), next.id.text,
              next.state == State::kExpired ? "gateway" : actor, next.reason);
}

/// Who comes and goes with a token writes no row before something is decided, so that nobody fills the log.
Result<> Desk::complete_rows(const Request& request) {
  const auto* ask = asks_.find(request.id);
  if (ask == nullptr) return {};
  const auto& id = request.id.text;
  if (!ask->is_told) ZKV_CHECK(note("request.ask", id, ask->address, "at " + to_text(request.created_at)));
  if (ask->address == request.address) return {};
  return note("request.address", id, request.address,
              "its client came back from here, before from " + ask->address);
}

Result<> Desk::open(const Request& request, const std::string& detail) {
  const auto decision = begin(request);
  ZKV_CHECK(store_.insert(decision.next));
  if (asks_.is_untold(request.id)) return {};
  return note("request.ask", request.id.text, request.address, detail);
}

Result<> Desk::note(const std::string& kind, const std::string& request, const std::string& actor,
                    const std::string& detail) {
  return store_.append({now(), printable(kind), printable(request), printable(actor), printable(detail)});
}

void Desk::carry_out(const Decisions& decisions, const std::shared_ptr<const SecretBytes>& share) {
  for (const auto& decision : decisions) {
    follow(decision.next);
    for (const auto& effect : decision.effects) carry_out(decision, effect, share);
    if (decision.changed) watchers_.wake(decision.next.id);
  }
}

/// Keeps deadlines and counts in step with a request.
void Desk::follow(const Request& request) {
  if (!is_final(request.state)) {
    deadlines_.set(request.id, request.expires_at);
    if (request.host.empty()) asks_.enter(request, true);
    if (request.state != State::kPending) asks_.tell(request);
    return;
  }
  if (asks_.is_untold(request.id) && is_undecided_end(request.state) && unanswered_) unanswered_(request);
  deadlines_.erase(request.id);
  asks_.leave(request.id);
}

void Desk::carry_out(const Decision& decision, const Effect& effect,
                     const std::shared_ptr<const SecretBytes>& share) {
  const auto& request = decision.next;
  if (std::holds_alternative<effect::RecoverShare>(effect)) {
    // Without a client the share stays in the vault: the request is approved and waits for it to come back.
    // An enrolled host's is sealed to it, and may wait for it.
    if (!request.host.empty() || waiting_.holds(request.id)) recover_(request);
  } else if (std::holds_alternative<effect::Release>(effect)) {
    waiting_.answer(request.id, Answer::Outcome::kReleased, share);
  } else if (std::holds_alternative<effect::Answer>(effect)) {
    waiting_.answer(request.id, outcome_in(request.state));
  }
}

}  // namespace zkv::gateway
