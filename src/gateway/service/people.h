// Those who decide: how they come, sign in, look after their passkeys, and decide requests
// (docs/protocol-v2.md, "An approval by passkey" and "People: sign in, see, decide").
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/passkey/act.h"
#include "gateway/passkey/passkey.h"
#include "gateway/service/cards.h"
#include "gateway/service/enrolments.h"
#include "gateway/store/people_store.h"

namespace zkv::gateway {

inline constexpr std::size_t kSessionTokenSize = 32;

/// How the audit log, and a request's `decided_by`, name an approver: "approver:Anna".
std::string actor_of(const Approver& approver);
/// The same of a decision by a code: "totp:Anna".
std::string code_actor_of(const Approver& approver);
/// The approver's name alone; who is none keeps the word before the colon.
std::string without_approver(const std::string& actor);

/// What a session's token is known by: its SHA-256.
struct SessionKey {
  crypto::Sha256 hash{};
};
SessionKey session_key(const SecretBytes& token);

/// Somebody at the gateway's own console, as the audit log names them: "console:uid 0".
struct AtConsole {
  std::string name;
};
/// Who looks.
using Viewer = std::variant<SessionKey, AtConsole>;

struct SignedIn {
  Approver approver;
  Time expires_at;
  SessionKind kind = SessionKind::kPasskey;
};

/// A session that has just begun. Its token goes to the browser and is kept nowhere else.
struct NewSession {
  SignedIn signed_in;
  SecretBytes token;
};

/// What an invite is called where it is listed: 16 digits in hex, by which nobody can use it.
std::string id_of(const Invite& invite);

struct NewApprover {
  std::string name;  ///< 1 to 64 bytes of text: no control characters, no colon, no blanks at its ends
  Role role = Role::kApprover;
  std::chrono::seconds lasts{3'600};
};

/// What a browser is asked to make a passkey from.
struct RegistrationAsk {
  passkey::Challenge challenge{};
  ApproverId approver{};
  std::string name;            ///< the approver's
  std::vector<Bytes> exclude;  ///< passkeys that are there already
};

/// A passkey that a browser has made; `label` is what its owner calls it: 1 to 64 bytes.
struct MadePasskey {
  std::string label;
  passkey::Registration registration;
  passkey::RelyingParty party;
};

/// A challenge that a passkey has signed.
struct SignedChallenge {
  passkey::Assertion assertion;
  Bytes user_handle;  ///< empty: the authenticator gave none
  passkey::RelyingParty party;
};

/// What a browser is asked to sign.
struct SigningAsk {
  passkey::Challenge challenge{};
  std::vector<Bytes> allow;
};

/// A session, and a fresh answer of its person's passkey to the challenge of begin_act(): a session alone
/// gives and takes no power.
struct Confirmation {
  SessionKey session;
  SignedChallenge answer;
  std::string address;
};
/// Who confirmed an act, and SHA-256 of the evidence that is kept of it.
struct Confirmed {
  Approver approver;
  crypto::Sha256 evidence{};
};
/// Who does something that gives or takes power.
using Doer = std::variant<Confirmation, AtConsole>;

struct PersonalDecision {
  RequestId request;
  passkey::Decision decision = passkey::Decision::kDeny;
  std::string reason;  ///< of a denial
  SignedChallenge answer;
};

struct ApproverCard {
  Approver approver;
  std::vector<Passkey> passkeys;
  std::size_t recovery_codes = 0;  ///< that were not used yet
};

struct RecoveryState {
  std::size_t left = 0;
  Time made_at;  ///< the epoch: there are none
};

/// Thread-safe. Errors of every call, beside those said: kIo, kInterrupted; with a session, kDenied named
/// "session" when it is unknown or over, or its approver was revoked, and named "limited" when it was begun
/// by a code: what such a one may do says so. Errors have the names of docs/protocol-v2.md, "Problems". A
/// challenge that was made for something else, was answered before, or is older than 2 minutes is kConflict
/// named "challenge"; an answer that is not as it should be is kDenied named "passkey". An authenticator that
/// was copied ends its passkey for good, and all sessions of its approver; the call that found it is kDenied
/// named "passkey".
class People {
 public:
  virtual ~People() = default;

  /// The challenge by which an act is confirmed. The acts are {"passkey.add", {id, label}},
  /// {"passkey.remove", {id}}, {"approver.invite", {name, role}}, {"approver.revoke", {as said}},
  /// {"host.revoke", {id}}, {"boot.approve", {host id, seconds}}, {"recovery.make", {}}, ids of credentials
  /// in base64. Errors: kInvalid beyond the sizes of passkey::Act.
  virtual boost::asio::awaitable<Result<SigningAsk>> begin_act(SessionKey key, passkey::Act act) = 0;
  /// Checks an act that is then done elsewhere, and keeps its evidence: who confirmed it. Errors: kDenied
  /// "owners-only".
  virtual boost::asio::awaitable<Result<Confirmed>> confirm(Confirmation by, passkey::Act act,
                                                            Role needed) = 0;

  /// Errors: kInvalid (the name, or a time beyond 30 days), kExists, kDenied "owners-only".
  virtual boost::asio::awaitable<Result<MadeInvite>> invite(NewApprover wanted, Doer by) = 0;
  /// Those of hosts and of approvers that nobody has used yet, oldest first. Errors: kDenied "owners-only".
  virtual boost::asio::awaitable<Result<std::vector<Invite>>> invites(Viewer by) = 0;
  /// It serves nobody any more. `id` is as id_of() says. Errors: kNotFound, kDenied "owners-only".
  virtual boost::asio::awaitable<Result<Invite>> withdraw_invite(std::string id, Viewer by) = 0;
  /// Errors: kDenied "invite" when it is unknown, used, withdrawn or over: not said which.
  virtual boost::asio::awaitable<Result<RegistrationAsk>> begin_registration(SecretBytes invite) = 0;
  /// Makes the approver, the passkey and a session of it. Errors: as begin_registration(), kExists (the name
  /// was given to somebody else meanwhile, or the passkey is known), kInvalid.
  virtual boost::asio::awaitable<Result<NewSession>> finish_registration(SecretBytes invite, MadePasskey made,
                                                                         std::string address) = 0;

  virtual boost::asio::awaitable<Result<passkey::Challenge>> begin_sign_in() = 0;
  /// Errors: kDenied "passkey" for whatever is wrong with the answer, in the same words.
  virtual boost::asio::awaitable<Result<NewSession>> sign_in(SignedChallenge answer, std::string address) = 0;
  virtual boost::asio::awaitable<Result<SignedIn>> session(SessionKey key) = 0;
  /// The same; a session by a code may, too.
  virtual boost::asio::awaitable<Result<SignedIn>> viewer(SessionKey key) = 0;
  /// A session by a code may.
  virtual boost::asio::awaitable<Result<bool>> sign_out(SessionKey key) = 0;

  /// As of Service. A session by a code may, and sees those that may be decided by codes; the others are
  /// kDenied "totp-group".
  virtual boost::asio::awaitable<Result<CardList>> open_requests(SessionKey key) = 0;
  virtual boost::asio::awaitable<Result<RequestCard>> request(SessionKey key, RequestId id) = 0;

  /// One's own, oldest first.
  virtual boost::asio::awaitable<Result<std::vector<Passkey>>> passkeys(SessionKey key) = 0;
  virtual boost::asio::awaitable<Result<RegistrationAsk>> begin_passkey(SessionKey key) = 0;
  /// Errors: kExists, kInvalid.
  virtual boost::asio::awaitable<Result<Passkey>> add_passkey(Confirmation by, MadePasskey made) = 0;
  /// Errors: kNotFound, kInvalid.
  virtual boost::asio::awaitable<Result<Passkey>> rename_passkey(SessionKey key, Bytes id,
                                                                 std::string label) = 0;
  /// Errors: kNotFound, kConflict "last-passkey".
  virtual boost::asio::awaitable<Result<Passkey>> remove_passkey(Confirmation by, Bytes id) = 0;

  /// One's own.
  virtual boost::asio::awaitable<Result<RecoveryState>> recovery(SessionKey key) = 0;
  /// Ten new ones, as they are to be written on paper: nobody can show them again. The old ones end.
  virtual boost::asio::awaitable<Result<std::vector<SecretBytes>>> make_recovery_codes(Confirmation by) = 0;
  /// `code` as somebody typed it. Errors: kDenied "recovery" for a code that is unknown or used, or whose
  /// owner was revoked: not said which.
  virtual boost::asio::awaitable<Result<RegistrationAsk>> begin_recovery(SecretBytes code) = 0;
  /// Uses the code up, adds the passkey to those of its owner, ends their sessions, and begins one. Errors:
  /// as begin_recovery(), kExists, kInvalid.
  virtual boost::asio::awaitable<Result<NewSession>> finish_recovery(SecretBytes code, MadePasskey made,
                                                                     std::string address) = 0;

  /// By name. Errors: kDenied "owners-only".
  virtual boost::asio::awaitable<Result<std::vector<ApproverCard>>> approvers(Viewer by) = 0;
  /// Ends the approver's passkeys, recovery codes and sessions. `who` is an id in hex or base64, or a name.
  /// Errors: kNotFound, kConflict "last-owner", kDenied "owners-only".
  virtual boost::asio::awaitable<Result<Approver>> revoke(std::string who, Doer by) = 0;

  /// Errors: kNotFound, kConflict "ended" when it cannot be decided so any more.
  virtual boost::asio::awaitable<Result<SigningAsk>> begin_decision(SessionKey key, RequestId request,
                                                                    passkey::Decision decision) = 0;
  /// Verifies the answer, keeps it as evidence, and decides, in one transaction: all or nothing. Errors: as
  /// begin_decision(), kConflict "ended" when somebody else was first.
  virtual boost::asio::awaitable<Result<RequestCard>> decide(SessionKey key, PersonalDecision decision,
                                                             std::string address) = 0;

  /// Waits until more has happened to requests than `seen` counts, and returns the new count; begin with 0.
  /// Costs no thread. Cancelling the coroutine ends the wait.
  virtual boost::asio::awaitable<Result<std::uint64_t>> change_after(std::uint64_t seen) = 0;
};

}  // namespace zkv::gateway
