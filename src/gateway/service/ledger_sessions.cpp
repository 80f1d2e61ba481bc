// Signing in and out; and how an assertion is checked, there and where something is decided.
#include <fmt/format.h>

#include <utility>

#include "crypto/random.h"
#include "gateway/service/ledger_people.h"
#include "gateway/service/service.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

constexpr const char* kSignInRefused = "this passkey is not known here, or its answer was not right";

Error no_session() {
  return Error::denied("nobody is signed in, or the session has ended").remedy("sign in").named("session");
}

Error session_is_limited() {
  return Error::denied("you signed in with a code, which is good for looking at requests and deciding them")
      .remedy("sign in with a passkey for all else")
      .named("limited");
}

passkey::Credential credential_of(const Passkey& passkey) {
  return {passkey.id, passkey.public_key, passkey.counter, passkey.backup_eligible, passkey.backed_up, {}};
}

bool is_handle_of(const ApproverId& approver, const Bytes& handle) {
  return std::ranges::equal(approver, handle);
}

}  // namespace

/// Refused here, where every call asks who makes it: what a session by a code may do asks who_looks().
Result<SignedIn> LedgerPeople::who(const SessionKey& key) {
  ZKV_TRY(auto signed_in, who_looks(key));
  if (signed_in.kind != SessionKind::kPasskey) return session_is_limited();
  return signed_in;
}

Result<SignedIn> LedgerPeople::who_looks(const SessionKey& key) {
  ZKV_TRY(const auto session, desk_.store().people().find_session(key.hash));
  if (!session || now() >= session->expires_at) return no_session();
  if (session->kind == SessionKind::kTotp && options_.totp_groups.empty()) return no_session();
  ZKV_TRY(auto approver, desk_.store().people().find_approver(session->approver));
  if (!approver || approver->is_revoked()) return no_session();
  return SignedIn{std::move(*approver), session->expires_at, session->kind};
}

Result<SignedIn> LedgerPeople::open_session(const Approver& approver, const SessionKey& key,
                                            SessionKind kind) {
  const auto life = kind == SessionKind::kTotp ? options_.totp_session_life : options_.session_life;
  const Session session{key.hash, approver.id, now() + life, kind};
  ZKV_CHECK(desk_.store().people().insert(session));
  return SignedIn{approver, session.expires_at, kind};
}

asio::awaitable<Result<passkey::Challenge>> LedgerPeople::begin_sign_in() {
  return on_ledger<passkey::Challenge>(
      *ledger_, desk_, [this](Decisions&) -> Result<passkey::Challenge> { return sign_ins_.make(now()); });
}

/// What the passkey gave is noted for the audit log; who tries is told the same whatever is wrong.
asio::awaitable<Result<NewSession>> LedgerPeople::sign_in(SignedChallenge answer, std::string address) {
  auto token = crypto::random_secret(kSessionTokenSize);
  std::function<Result<Outcome<SignedIn>>(Decisions&)> work =
      [this, &answer, &address, key = session_key(token)](Decisions&) { return admit(answer, key, address); };
  auto outcome = co_await on_ledger<Outcome<SignedIn>>(*ledger_, desk_, std::move(work));
  auto signed_in = result_of(std::move(outcome));
  if (signed_in) co_return NewSession{std::move(*signed_in), std::move(token)};
  const auto& error = signed_in.error();
  if (error.name() != "passkey") co_return tl::unexpected(error);
  note_("refused.sign-in", std::move(address), error.message());
  co_return Error::denied(kSignInRefused).remedy("use the passkey of this gateway").named("passkey");
}

Result<LedgerPeople::Outcome<SignedIn>> LedgerPeople::admit(const SignedChallenge& answer,
                                                            const SessionKey& key,
                                                            const std::string& address) {
  ZKV_TRY(const auto challenge, claimed_challenge(answer.assertion.client_data_json));
  if (!sign_ins_.is_good(challenge, now())) return wrong_challenge();
  ZKV_TRY(auto checked, check(answer, challenge, address));
  Outcome<SignedIn> outcome;
  outcome.refused = std::move(checked.refused);
  if (outcome.refused) return outcome;
  ZKV_TRY(const auto approver, desk_.store().people().find_approver(checked.value->approver));
  if (!approver || approver->is_revoked() || !is_handle_of(approver->id, answer.user_handle)) {
    return refused_passkey(Error::denied("the passkey's answer names somebody else"));
  }
  sign_ins_.use(challenge, now());
  ZKV_TRY(outcome.value, open_session(*approver, key, SessionKind::kPasskey));
  ZKV_CHECK(desk_.note("approver.sign-in", "", actor_of(*approver),
                       fmt::format("from {} by passkey {}", address, checked.value->label)));
  return outcome;
}

/// The passkey as it is after its answer. A copied one ends, which is to be committed.
Result<LedgerPeople::Outcome<Passkey>> LedgerPeople::check(const SignedChallenge& answer,
                                                           const passkey::Challenge& challenge,
                                                           const std::string& address) {
  ZKV_TRY(auto known, desk_.store().people().find_passkey(answer.assertion.id));
  if (!known || known->has_ended()) return refused_passkey(Error::denied("this passkey is not known here"));
  if (!answer.user_handle.empty() && !is_handle_of(known->approver, answer.user_handle)) {
    return refused_passkey(Error::denied("the passkey's answer names somebody else"));
  }
  const auto verdict =
      passkey::verify_assertion(answer.assertion, credential_of(*known), {challenge, answer.party});
  Outcome<Passkey> outcome;
  if (!verdict && passkey::is_cloned(verdict.error())) {
    ZKV_CHECK(end(*known, "there may be a copy of it: its counter did not grow"));
    ZKV_CHECK(desk_.store().people().end_sessions_of(known->approver));
    ZKV_CHECK(desk_.note("refused.cloned", "", address,
                         fmt::format("passkey {} of approver {}", to_base64(known->id, Base64::kUrlNoPadding),
                                     to_hex(known->approver))));
    outcome.refused = refused_passkey(verdict.error());
    return outcome;
  }
  if (!verdict) return refused_passkey(verdict.error());
  known->counter = verdict->counter;
  known->backed_up = verdict->backed_up;
  known->used_at = now();
  ZKV_CHECK(desk_.store().people().update(*known));
  outcome.value = std::move(*known);
  return outcome;
}

asio::awaitable<Result<SignedIn>> LedgerPeople::session(SessionKey key) {
  return on_ledger<SignedIn>(*ledger_, desk_, [this, key](Decisions&) { return who(key); });
}

asio::awaitable<Result<SignedIn>> LedgerPeople::viewer(SessionKey key) {
  return on_ledger<SignedIn>(*ledger_, desk_, [this, key](Decisions&) { return who_looks(key); });
}

asio::awaitable<Result<bool>> LedgerPeople::sign_out(SessionKey key) {
  return on_ledger<bool>(*ledger_, desk_, [this, key](Decisions&) -> Result<bool> {
    ZKV_TRY(const auto me, who_looks(key));
    ZKV_CHECK(desk_.store().people().end_session(key.hash));
    ZKV_CHECK(desk_.note("approver.sign-out", "", actor_of(me.approver), ""));
    return true;
  });
}

}  // namespace zkv::gateway
