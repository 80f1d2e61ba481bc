// Signing in and deciding by codes: each use takes one of its own.
#include <algorithm>
#include <utility>

#include "crypto/random.h"
#include "gateway/service/ledger_totps.h"
#include "gateway/service/service.h"
#include "gateway/service/suspend.h"
#include "gateway/totp/code.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

Error signed_in_by_passkey() {
  return Error::denied("you signed in with a passkey, and decide with it")
      .remedy("answer the passkey's prompt")
      .named("passkey-session");
}

}  // namespace

asio::awaitable<Result<NewSession>> LedgerTotps::sign_in(std::string name, std::string code,
                                                         std::string address) {
  if (!is_on()) co_return no_codes_here();
  auto token = crypto::random_secret(kSessionTokenSize);
  std::function<Result<Outcome<SignedIn>>(Decisions&)> work = [this, &name, &code, &address,
                                                               key = session_key(token)](Decisions&) {
    return admit(name, code, key, address);
  };
  auto outcome = co_await on_ledger<Outcome<SignedIn>>(*ledger_, desk_, std::move(work));
  tell_if_locked(outcome, address);
  auto signed_in = LedgerPeople::result_of(std::move(outcome));
  if (signed_in) co_return NewSession{std::move(*signed_in), std::move(token)};
  if (signed_in.error().name() == "code") {
    note_("refused.code", std::move(address), signed_in.error().message());
  }
  co_return tl::unexpected(signed_in.error());
}

/// A name that nobody has costs a look at its code and a commit, as a wrong code for one that somebody has.
Result<LedgerTotps::Outcome<SignedIn>> LedgerTotps::admit(const std::string& name, const std::string& code,
                                                          const SessionKey& key, const std::string& address) {
  auto& store = desk_.store();
  Outcome<SignedIn> outcome;
  std::optional<Totp> totp;
  ZKV_TRY(const auto approver, store.people().approver_called(name));
  if (approver) {
    ZKV_TRY(totp, store.totps().find(*approver));
  }
  if (!totp || !totp->has_begun()) {
    static_cast<void>(totp::step_of(nobodys_, code, now(), 0));
    ZKV_CHECK(store.prove_writable());
    outcome.refused = refused_code();
    return outcome;
  }
  Use purpose{"totp.sign-in", "", code_actor_of(*approver), {{"address", printable(address)}}};
  ZKV_TRY(auto used, use(std::move(*totp), code, std::move(purpose)));
  outcome.refused = std::move(used.refused);
  outcome.locked = used.locked;
  if (outcome.refused) return outcome;
  ZKV_TRY(outcome.value, people_.open_session(*approver, key, SessionKind::kTotp));
  return outcome;
}

asio::awaitable<Result<RequestCard>> LedgerTotps::decide(SessionKey key, DecisionByCode decision,
                                                         std::string address) {
  if (!is_on()) co_return no_codes_here();
  std::function<Result<Outcome<RequestCard>>(Decisions&)> work = [this, key, &decision,
                                                                  &address](Decisions& decisions) {
    return settle(key, decision, address, decisions);
  };
  auto outcome = co_await on_ledger<Outcome<RequestCard>>(*ledger_, desk_, std::move(work));
  tell_if_locked(outcome, address);
  auto card = LedgerPeople::result_of(std::move(outcome));
  if (!card && is_refused_decision(card.error())) {
    note_(card.error().name() == "code" ? "refused.code" : "refused.decision", std::move(address),
          card.error().message());
  }
  co_return card;
}

/// The group is looked at here, whatever it was when the session began.
Result<RequestCard> LedgerTotps::decidable(const DecisionByCode& decision) {
  ZKV_TRY(const auto request, desk_.store().find(decision.request));
  ZKV_TRY(auto card, card_of(desk_.store(), request));
  if (!is_open_to_codes(card, options_)) return not_by_codes();
  if (!can_be(request, decision.decision)) return ended_already(request);
  return card;
}

Result<LedgerTotps::Outcome<RequestCard>> LedgerTotps::settle(const SessionKey& key,
                                                              const DecisionByCode& decision,
                                                              const std::string& address,
                                                              Decisions& decisions) {
  ZKV_TRY(const auto me, people_.who_looks(key));
  if (me.kind != SessionKind::kTotp) return signed_in_by_passkey();
  ZKV_TRY(auto card, decidable(decision));
  ZKV_TRY(auto totp, desk_.store().totps().find(me.approver));
  Outcome<RequestCard> outcome;
  if (!totp || !totp->has_begun()) {
    outcome.refused = refused_code();
    return outcome;
  }
  const auto by = code_actor_of(me.approver);
  Use purpose{"totp.decide",
              card.request.id.text,
              by,
              {{"decision", passkey::to_text(decision.decision)},
               {"request", to_hex(hash_of(card))},
               {"address", printable(address)}}};
  ZKV_TRY(auto used, use(std::move(*totp), decision.code, std::move(purpose)));
  outcome.refused = std::move(used.refused);
  outcome.locked = used.locked;
  if (outcome.refused) return outcome;
  ZKV_TRY(outcome.value, apply(std::move(card), decision, by, decisions));
  return outcome;
}

Result<RequestCard> LedgerTotps::apply(RequestCard card, const DecisionByCode& decision,
                                       const std::string& by, Decisions& decisions) {
  const bool approves = decision.decision == passkey::Decision::kApprove;
  const Event event =
      approves ? Event(event::Approve{by}) : Event(event::Deny{by, printable(decision.reason, 500)});
  ZKV_TRY(auto next, desk_.apply(card.request, event, by, decisions));
  if (next.state != (approves ? State::kApproved : State::kDenied)) return ended_already(next);
  card.request = std::move(next);
  return card;
}

}  // namespace zkv::gateway
