// What gives or takes power: done by owners, or by somebody about themselves, when a passkey has just
// confirmed exactly that; or by whoever is at the console.
#include <algorithm>
#include <utility>

#include "crypto/random.h"
#include "gateway/service/ledger_people.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

Error owners_only() {
  return Error::denied("only owners may do this").remedy("ask an owner").named("owners-only");
}

Result<> check_shape(const passkey::Act& act) {
  const auto is_short = [](const std::string& text) { return text.size() <= passkey::kLongestOfAct; };
  const bool fits = !act.kind.empty() && act.kind.size() <= passkey::kLongestActKind &&
                    act.about.size() <= passkey::kMostOfAct && std::ranges::all_of(act.about, is_short);
  if (!fits)
    return Error::invalid("this is no act that could be confirmed: a text in it is missing or too long");
  if (passkey::is_known(act)) return {};
  return Error::invalid("there is no such act to be confirmed, or not of so many texts")
      .remedy("the acts are in the protocol's description: docs/protocol-v2.md");
}

}  // namespace

Result<SigningAsk> LedgerPeople::ask_to_sign(const passkey::Challenge& challenge, ChallengeUse use) {
  ZKV_TRY(const auto passkeys, desk_.store().people().passkeys_of(use.approver));
  SigningAsk ask;
  ask.challenge = challenge;
  for (const auto& passkey : passkeys) ask.allow.push_back(passkey.id);
  challenges_.add(challenge, std::move(use), now());
  return ask;
}

asio::awaitable<Result<SigningAsk>> LedgerPeople::begin_act(SessionKey key, passkey::Act act) {
  std::function<Result<SigningAsk>(Decisions&)> work =
      [this, key, act = std::move(act)](Decisions&) -> Result<SigningAsk> {
    ZKV_TRY(const auto me, who(key));
    ZKV_CHECK(check_shape(act));
    ChallengeUse use;
    use.purpose = ChallengeUse::Purpose::kAct;
    use.approver = me.approver.id;
    use.act = act;
    crypto::fill_random(use.random);
    const auto challenge = passkey::act_challenge(act, use.approver, use.random);
    return ask_to_sign(challenge, std::move(use));
  };
  return on_ledger<SigningAsk>(*ledger_, desk_, std::move(work));
}

asio::awaitable<Result<Confirmed>> LedgerPeople::confirm(Confirmation by, passkey::Act act, Role needed) {
  std::function<Result<Confirmed>(const Performer&)> work =
      [](const Performer& performer) -> Result<Confirmed> {
    return Confirmed{*performer.approver, performer.evidence};
  };
  return perform<Confirmed>(std::move(by), std::move(act), needed, std::move(work));
}

void LedgerPeople::note_refusal(const Doer& by, const Error& error) {
  const auto* confirmation = std::get_if<Confirmation>(&by);
  if (confirmation == nullptr || error.kind() != ErrorKind::kDenied) return;
  note_("refused.confirmation", confirmation->address, error.message());
}

Result<std::string> LedgerPeople::owner_or_console(const Viewer& by) {
  if (const auto* console = std::get_if<AtConsole>(&by)) return console->name;
  ZKV_TRY(const auto me, who(std::get<SessionKey>(by)));
  if (me.approver.role != Role::kOwner) return owners_only();
  return actor_of(me.approver);
}

Result<LedgerPeople::Outcome<LedgerPeople::Performer>> LedgerPeople::permit(const Doer& by,
                                                                            const passkey::Act& act,
                                                                            Role needed) {
  if (const auto* console = std::get_if<AtConsole>(&by)) {
    return Outcome<Performer>{Performer{console->name, std::nullopt, {}}, std::nullopt};
  }
  const auto& confirmation = std::get<Confirmation>(by);
  ZKV_TRY(const auto me, who(confirmation.session));
  if (needed == Role::kOwner && me.approver.role != Role::kOwner) return owners_only();
  return check(confirmation, act, me.approver);
}

/// The answer is to a challenge that was made for this very act and person.
Result<LedgerPeople::Outcome<LedgerPeople::Performer>> LedgerPeople::check(const Confirmation& by,
                                                                           const passkey::Act& act,
                                                                           const Approver& me) {
  const auto& assertion = by.answer.assertion;
  ZKV_TRY(const auto spent, spend(assertion.client_data_json, ChallengeUse::Purpose::kAct));
  if (spent.use.approver != me.id || spent.use.act != act) return wrong_challenge();
  ZKV_TRY(auto checked, check(by.answer, spent.challenge, by.address));
  Outcome<Performer> outcome;
  outcome.refused = std::move(checked.refused);
  if (outcome.refused) return outcome;
  if (checked.value->approver != me.id) {
    return refused_passkey(Error::denied("this is the passkey of somebody else"));
  }
  const auto evidence = passkey::to_json(passkey::ActEvidence{me.id, act, spent.use.random, assertion});
  ZKV_CHECK(desk_.store().append({now(), "approver.confirm", "", actor_of(me), evidence}));
  outcome.value = Performer{actor_of(me), me, crypto::sha256(bytes_of(evidence))};
  return outcome;
}

}  // namespace zkv::gateway
