// Codes set up and removed, confirmed by a passkey; and what all uses of a code have in common.
#include "gateway/service/ledger_totps.h"

#include <boost/json/serialize.hpp>
#include <utility>

#include "gateway/service/service.h"
#include "gateway/service/suspend.h"
#include "gateway/totp/code.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

Error no_secret() {
  return Error::not_found("you have set up no authenticator app").remedy("set one up first");
}

TotpState state_of(const std::optional<Totp>& totp) {
  if (!totp) return {};
  return {true, totp->has_begun(), totp->made_at, totp->tries.locked_until};
}

}  // namespace

Error no_codes_here() {
  return Error::not_found("this gateway takes no codes of authenticator apps")
      .remedy("use your passkey, or have totp-groups set")
      .named("totp-off");
}

Error refused_code() {
  return Error::denied("this code is not right, was used before, or came too soon after wrong ones")
      .remedy("wait for the next code; after five wrong ones none is taken for 15 minutes")
      .named("code");
}

std::string code_actor_of(const Approver& approver) { return "totp:" + approver.name; }

LedgerTotps::LedgerTotps(Desk& desk, const std::shared_ptr<Ledger>& ledger, LedgerPeople& people,
                         const ServiceOptions& options, LedgerPeople::Note note, LedgerPeople::Tell tell)
    : desk_(desk),
      ledger_(ledger),
      people_(people),
      options_(options),
      note_(std::move(note)),
      tell_(std::move(tell)),
      nobodys_(totp::make_secret()) {}

const std::vector<std::string>& LedgerTotps::groups() const { return options_.totp_groups; }

asio::awaitable<Result<TotpState>> LedgerTotps::state(SessionKey key) {
  if (!is_on()) co_return no_codes_here();
  std::function<Result<TotpState>(Decisions&)> work = [this, key](Decisions&) -> Result<TotpState> {
    ZKV_TRY(const auto me, people_.who(key));
    ZKV_TRY(const auto totp, desk_.store().totps().find(me.approver));
    return state_of(totp);
  };
  co_return co_await on_ledger<TotpState>(*ledger_, desk_, std::move(work));
}

asio::awaitable<Result<NewTotp>> LedgerTotps::set_up(Confirmation by) {
  if (!is_on()) co_return no_codes_here();
  const auto secret = std::make_shared<const SecretBytes>(totp::make_secret());
  std::function<Result<std::string>(const LedgerPeople::Performer&)> work =
      [this, secret](const LedgerPeople::Performer& me) -> Result<std::string> {
    ZKV_CHECK(keep_secret(*me.approver, *secret));
    return me.approver->name;
  };
  passkey::Act act{"totp.set", {}};
  auto name =
      co_await people_.perform<std::string>(std::move(by), std::move(act), Role::kApprover, std::move(work));
  if (!name) co_return tl::unexpected(name.error());
  co_return NewTotp{secret->clone(), std::move(*name)};
}

Result<bool> LedgerTotps::keep_secret(const Approver& owner, const SecretBytes& secret) {
  const auto before = desk_.store().totps().find(owner);
  const bool is_damaged = !before && before.error().kind() == ErrorKind::kCorrupt;
  if (!before && !is_damaged) return tl::unexpected(before.error());
  if (is_damaged || (*before && (*before)->has_begun())) {
    return Error::exists("you have an authenticator app already").remedy("remove it first");
  }
  Totp totp;
  totp.approver = owner.id;
  totp.secret = secret.clone();
  totp.made_at = now();
  ZKV_CHECK(log(totp, {"totp.set", "", actor_of(owner), {}}));
  ZKV_CHECK(desk_.store().totps().put(totp));
  return true;
}

asio::awaitable<Result<TotpState>> LedgerTotps::remove(Confirmation by) {
  std::function<Result<TotpState>(const LedgerPeople::Performer&)> work =
      [this](const LedgerPeople::Performer& me) -> Result<TotpState> {
    ZKV_CHECK(end_secret(*me.approver));
    return TotpState();
  };
  passkey::Act act{"totp.remove", {}};
  co_return co_await people_.perform<TotpState>(std::move(by), std::move(act), Role::kApprover,
                                                std::move(work));
}

Result<bool> LedgerTotps::end_secret(const Approver& owner) {
  const auto found = desk_.store().totps().find(owner);
  if (!found && found.error().kind() != ErrorKind::kCorrupt) return tl::unexpected(found.error());
  if (found && !*found) return no_secret();
  ZKV_CHECK(desk_.store().totps().remove(owner.id));
  ZKV_CHECK(desk_.store().people().end_totp_sessions_of(owner.id));
  Totp ended;
  ended.approver = owner.id;
  ZKV_CHECK(log(ended, {"totp.remove", "", actor_of(owner), {}}));
  return true;
}

asio::awaitable<Result<TotpState>> LedgerTotps::begin(SessionKey key, std::string code, std::string address) {
  if (!is_on()) co_return no_codes_here();
  std::function<Result<Outcome<TotpState>>(Decisions&)> work = [this, key, &code](Decisions&) {
    return first_code(key, code);
  };
  auto outcome = co_await on_ledger<Outcome<TotpState>>(*ledger_, desk_, std::move(work));
  tell_if_locked(outcome, address);
  auto state = LedgerPeople::result_of(std::move(outcome));
  if (!state && state.error().name() == "code") {
    note_("refused.code", std::move(address), state.error().message());
  }
  co_return state;
}

Result<LedgerTotps::Outcome<TotpState>> LedgerTotps::first_code(const SessionKey& key,
                                                                const std::string& code) {
  ZKV_TRY(const auto me, people_.who(key));
  ZKV_TRY(auto totp, desk_.store().totps().find(me.approver));
  if (!totp) return no_secret();
  if (totp->has_begun()) return Error::exists("your authenticator app is set up already");
  totp->begun_at = now();
  ZKV_TRY(auto used, use(std::move(*totp), code, {"totp.begin", "", code_actor_of(me.approver), {}}));
  Outcome<TotpState> outcome;
  outcome.refused = std::move(used.refused);
  outcome.locked = used.locked;
  if (outcome.refused) return outcome;
  ZKV_TRY(const auto begun, desk_.store().totps().find(me.approver));
  outcome.value = state_of(begun);
  return outcome;
}

Result<LedgerTotps::Outcome<bool>> LedgerTotps::use(Totp totp, const std::string& code, Use purpose) {
  auto& store = desk_.store();
  const auto at = now();
  const auto step = totp::step_of(totp.secret, code, at, totp.tries.last_step);
  const auto judged = totp::judge(totp.tries, step, at);
  Outcome<bool> outcome;
  totp.tries = judged.next;
  if (judged.outcome == totp::Outcome::kTaken) {
    purpose.detail["step"] = totp.tries.last_step;
    ZKV_CHECK(log(totp, std::move(purpose)));
    ZKV_CHECK(store.totps().update(totp));
    outcome.value = true;
    return outcome;
  }
  outcome.refused = refused_code();
  if (purpose.kind == "totp.begin") totp.begun_at = {};
  if (judged.outcome == totp::Outcome::kLocked) {
    ZKV_CHECK(store.prove_writable());
    return outcome;
  }
  if (judged.outcome == totp::Outcome::kWrongAndLocked) outcome.locked = totp.approver;
  ZKV_CHECK(log_wrong(totp, purpose.actor, judged.outcome));
  ZKV_CHECK(store.totps().update(totp));
  return outcome;
}

/// Each wrong one has a row in the audit log, so that no older row of the table gives its try back.
Result<> LedgerTotps::log_wrong(Totp& totp, const std::string& actor, totp::Outcome outcome) {
  if (outcome != totp::Outcome::kWrongAndLocked) return log(totp, {"totp.wrong", "", actor, {}});
  return log(totp, {"totp.lock", "", actor, {{"until", zkv::to_text(totp.tries.locked_until)}}});
}

Result<> LedgerTotps::log(Totp& totp, Use purpose) {
  auto& store = desk_.store();
  json::object detail{{"approver", to_base64(totp.approver, Base64::kUrlNoPadding)}};
  for (auto& member : purpose.detail) detail[member.key()] = std::move(member.value());
  ZKV_CHECK(store.append({now(), std::move(purpose.kind), std::move(purpose.request),
                          std::move(purpose.actor), json::serialize(detail)}));
  ZKV_TRY(const auto head, store.audit_head());
  totp.logged = head->number;
  return {};
}

}  // namespace zkv::gateway
