// People over the ledger.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/channel/web_push.h"
#include "gateway/service/challenges.h"
#include "gateway/service/desk.h"
#include "gateway/service/ledger.h"
#include "gateway/service/ledger_boots.h"
#include "gateway/service/people.h"
#include "gateway/service/sign_in_challenges.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {

struct ServiceOptions;

class LedgerPeople : public People {
 public:
  /// Notes a refusal for the audit log, gathered: kind, address, detail.
  using Note = std::function<void(std::string, std::string, std::string)>;
  /// Tells a person of what happened to their ways in, once that is on disk.
  using Tell = std::function<void(const ApproverId&, PersonalNews)>;

  /// All outlive this, but the ledger, which may be gone when a client goes away.
  LedgerPeople(Desk& desk, const std::shared_ptr<Ledger>& ledger, LedgerBoots& boots,
               const ServiceOptions& options, Note note, Tell tell);

  boost::asio::awaitable<Result<MadeInvite>> invite(NewApprover wanted, Doer by) override;
  boost::asio::awaitable<Result<std::vector<Invite>>> invites(Viewer by) override;
  boost::asio::awaitable<Result<Invite>> withdraw_invite(std::string id, Viewer by) override;
  boost::asio::awaitable<Result<SigningAsk>> begin_act(SessionKey key, passkey::Act act) override;
  boost::asio::awaitable<Result<Confirmed>> confirm(Confirmation by, passkey::Act act, Role needed) override;
  boost::asio::awaitable<Result<RegistrationAsk>> begin_registration(SecretBytes invite) override;
  boost::asio::awaitable<Result<NewSession>> finish_registration(SecretBytes invite, MadePasskey made,
                                                                 std::string address) override;
  boost::asio::awaitable<Result<passkey::Challenge>> begin_sign_in() override;
  boost::asio::awaitable<Result<NewSession>> sign_in(SignedChallenge answer, std::string address) override;
  boost::asio::awaitable<Result<SignedIn>> session(SessionKey key) override;
  boost::asio::awaitable<Result<SignedIn>> viewer(SessionKey key) override;
  boost::asio::awaitable<Result<bool>> sign_out(SessionKey key) override;
  boost::asio::awaitable<Result<CardList>> open_requests(SessionKey key) override;
  boost::asio::awaitable<Result<RequestCard>> request(SessionKey key, RequestId id) override;
  boost::asio::awaitable<Result<std::vector<Passkey>>> passkeys(SessionKey key) override;
  boost::asio::awaitable<Result<RegistrationAsk>> begin_passkey(SessionKey key) override;
  boost::asio::awaitable<Result<Passkey>> add_passkey(Confirmation by, MadePasskey made) override;
  boost::asio::awaitable<Result<Passkey>> rename_passkey(SessionKey key, Bytes id,
                                                         std::string label) override;
  boost::asio::awaitable<Result<Passkey>> remove_passkey(Confirmation by, Bytes id) override;
  boost::asio::awaitable<Result<RecoveryState>> recovery(SessionKey key) override;
  boost::asio::awaitable<Result<std::vector<SecretBytes>>> make_recovery_codes(Confirmation by) override;
  boost::asio::awaitable<Result<RegistrationAsk>> begin_recovery(SecretBytes code) override;
  boost::asio::awaitable<Result<NewSession>> finish_recovery(SecretBytes code, MadePasskey made,
                                                             std::string address) override;
  boost::asio::awaitable<Result<std::vector<ApproverCard>>> approvers(Viewer by) override;
  boost::asio::awaitable<Result<Approver>> revoke(std::string who, Doer by) override;
  boost::asio::awaitable<Result<SigningAsk>> begin_decision(SessionKey key, RequestId request,
                                                            passkey::Decision decision) override;
  boost::asio::awaitable<Result<RequestCard>> decide(SessionKey key, PersonalDecision decision,
                                                     std::string address) override;
  boost::asio::awaitable<Result<std::uint64_t>> change_after(std::uint64_t seen) override;

  // For those beside it, in a transaction on the ledger's thread but for perform().

  /// Whose session it is; one by a code is kDenied "limited". Errors: kDenied "session".
  Result<SignedIn> who(const SessionKey& key);
  /// The same, also by a code.
  Result<SignedIn> who_looks(const SessionKey& key);
  Result<SignedIn> open_session(const Approver& approver, const SessionKey& key, SessionKind kind);

  /// What came of a transaction that is to be committed even where it refuses.
  template <class T>
  struct Outcome {
    std::optional<T> value;
    std::optional<Error> refused;
    std::optional<ApproverId> locked = {};  ///< whose codes it locked
  };
  template <class T>
  static Result<T> result_of(Result<Outcome<T>> outcome) {
    if (!outcome) return tl::unexpected(outcome.error());
    if (outcome->refused) return tl::unexpected(*outcome->refused);
    return std::move(*outcome->value);
  }

  /// Whose act it is: as the audit log names them, and who they are unless they are at the console.
  struct Performer {
    std::string name;
    std::optional<Approver> approver;
    crypto::Sha256 evidence{};  ///< of the confirmation
  };
  /// One transaction: the act's confirmation is checked and kept, then `work` is done.
  template <class T>
  boost::asio::awaitable<Result<T>> perform(Doer by, passkey::Act act, Role needed,
                                            std::function<Result<T>(const Performer&)> work);

 private:
  void note_refusal(const Doer& by, const Error& error);

  // All of these in a transaction, on the ledger's thread.
  /// How the audit log names who calls: an owner, or somebody at the console.
  Result<std::string> owner_or_console(const Viewer& by);
  Result<Outcome<Performer>> permit(const Doer& by, const passkey::Act& act, Role needed);
  Result<Outcome<Performer>> check(const Confirmation& by, const passkey::Act& act, const Approver& me);
  Result<Invite> keep_invite(const Invite& invite, const std::string& by);
  /// Errors: kExists where an approver has that name, in whatever case.
  Result<> is_free(const std::string& name);
  Result<Invite> valid_invite(const Bytes& hash);
  Result<SignedIn> take_in(const Bytes& invite, const MadePasskey& made, const SessionKey& key,
                           const std::string& address);
  Result<RegistrationAsk> ask_to_register(const Approver& approver, ChallengeUse use);
  /// Whose code it is. Errors: kDenied "recovery".
  Result<Approver> owner_of_code(const crypto::Sha256& proof);
  Result<bool> keep_recovery_codes(const Approver& owner, const std::vector<crypto::Sha256>& hashes);
  Result<SignedIn> take_back(const crypto::Sha256& proof, const MadePasskey& made, const SessionKey& key,
                             const std::string& address);
  Result<SpentChallenge> spend(const Bytes& client_data, ChallengeUse::Purpose purpose);
  Result<Passkey> insert_passkey(const Approver& approver, const MadePasskey& made,
                                 const passkey::Challenge& challenge);
  Result<Outcome<Passkey>> check(const SignedChallenge& answer, const passkey::Challenge& challenge,
                                 const std::string& address);
  Result<Outcome<SignedIn>> admit(const SignedChallenge& answer, const SessionKey& key,
                                  const std::string& address);
  Result<> end(Passkey passkey, const std::string& why);
  Result<Passkey> own_passkey(const Approver& owner, const Bytes& id);
  Result<Approver> approver_named(const std::string& who);
  Result<> leaves_an_owner(const Approver& leaving);
  Result<Approver> end_approver(const std::string& who, const std::string& by);
  /// Notes the challenge, and says which passkeys may answer it: those of `use.approver`.
  Result<SigningAsk> ask_to_sign(const passkey::Challenge& challenge, ChallengeUse use);
  Result<CardList> open_to_codes();
  Result<SigningAsk> ask_to_decide(const SessionKey& key, const RequestId& id, passkey::Decision decision);
  Result<Outcome<RequestCard>> settle(const SessionKey& key, const PersonalDecision& decision,
                                      const std::string& address, Decisions& decisions);
  Result<RequestCard> decide_with(const Approver& approver, const passkey::Evidence& evidence,
                                  const RequestCard& card, const std::string& reason, Decisions& decisions);

  Desk& desk_;
  const std::shared_ptr<Ledger>& ledger_;
  LedgerBoots& boots_;
  const ServiceOptions& options_;
  Note note_;
  Tell tell_;
  Challenges challenges_;
  SignInChallenges sign_ins_;
};

template <class T>
boost::asio::awaitable<Result<T>> LedgerPeople::perform(Doer by, passkey::Act act, Role needed,
                                                        std::function<Result<T>(const Performer&)> work) {
  std::function<Result<Outcome<T>>(Decisions&)> whole =
      [this, by, act = std::move(act), needed, work = std::move(work)](Decisions&) -> Result<Outcome<T>> {
    ZKV_TRY(auto permitted, permit(by, act, needed));
    Outcome<T> outcome;
    outcome.refused = std::move(permitted.refused);
    if (!outcome.refused) {
      ZKV_TRY(outcome.value, work(*permitted.value));
    }
    return outcome;
  };
  auto outcome = co_await on_ledger<Outcome<T>>(*ledger_, desk_, std::move(whole));
  auto result = result_of(std::move(outcome));
  if (!result) note_refusal(by, result.error());
  co_return result;
}

// What the files of this class have in common.

/// Errors: kInvalid.
Result<> check_label(const std::string& label);
passkey::Challenge random_challenge();
Error wrong_challenge();
/// The challenge that the browser says it answers.
Result<passkey::Challenge> claimed_challenge(const Bytes& client_data);
/// The same in other words for a passkey's answer that is not right.
Error refused_passkey(const Error& why);
Error ended_already(const Request& request);
/// A denial may still come while the share of an approved request is fetched.
bool can_be(const Request& request, passkey::Decision decision);
/// Whether the audit log is to say that somebody's decision was refused: it was not theirs to make, or came
/// after the request's end, or a second time.
bool is_refused_decision(const Error& why);
/// Whether its host is of a group whose hosts may be decided by codes, and it does not ask for an approval
/// beforehand: a code that was fished is worth one request of now, and no more.
bool is_open_to_codes(const RequestCard& card, const ServiceOptions& options);
Error not_by_codes();

}  // namespace zkv::gateway
