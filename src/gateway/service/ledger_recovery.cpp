// Recovery codes: made while one has a passkey, used when one has lost it. A code signs nobody in: it lets
// its owner register one passkey.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "crypto/random.h"
#include "gateway/service/ledger_people.h"
#include "gateway/service/recovery_code.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

Error no_such_code() {
  return Error::denied("this recovery code was used, has been replaced, or is not one of this gateway")
      .remedy("look at each character again, use another code, or ask an owner")
      .named("recovery");
}

std::string id_text(const ApproverId& id) { return to_base64(id, Base64::kUrlNoPadding); }

/// docs/protocol-v2.md, "Recovery codes".
std::string made_detail(const Approver& owner, const std::vector<crypto::Sha256>& hashes) {
  json::array codes;
  for (const auto& hash : hashes) codes.push_back(json::value(to_hex(hash)));
  return json::serialize(json::object{{"approver", id_text(owner.id)}, {"codes", std::move(codes)}});
}

std::string used_detail(const Approver& owner, const crypto::Sha256& proof, const std::string& address) {
  return json::serialize(
      json::object{{"approver", id_text(owner.id)}, {"proof", to_hex(proof)}, {"address", address}});
}

Bytes bytes_from(const crypto::Sha256& hash) { return {hash.begin(), hash.end()}; }

}  // namespace

asio::awaitable<Result<RecoveryState>> LedgerPeople::recovery(SessionKey key) {
  return on_ledger<RecoveryState>(*ledger_, desk_, [this, key](Decisions&) -> Result<RecoveryState> {
    ZKV_TRY(const auto me, who(key));
    ZKV_TRY(const auto codes, desk_.store().people().recovery_codes_of(me.approver.id));
    return RecoveryState{codes.size(), codes.empty() ? Time() : codes.front().made_at};
  });
}

asio::awaitable<Result<std::vector<SecretBytes>>> LedgerPeople::make_recovery_codes(Confirmation by) {
  std::vector<SecretBytes> codes;
  std::vector<crypto::Sha256> hashes;
  while (codes.size() < kRecoveryCodes) {
    codes.push_back(make_recovery_code());
    hashes.push_back(hash_of_proof(proof_of_recovery_code(codes.back().view())));
  }
  std::function<Result<bool>(const Performer&)> work = [this,
                                                        hashes = std::move(hashes)](const Performer& me) {
    return keep_recovery_codes(*me.approver, hashes);
  };
  passkey::Act act{"recovery.make", {}};
  auto kept = co_await perform<bool>(std::move(by), std::move(act), Role::kApprover, std::move(work));
  if (!kept) co_return tl::unexpected(kept.error());
  co_return std::move(codes);
}

Result<bool> LedgerPeople::keep_recovery_codes(const Approver& owner,
                                               const std::vector<crypto::Sha256>& hashes) {
  auto& people = desk_.store().people();
  ZKV_CHECK(people.end_recovery_codes_of(owner.id));
  for (const auto& hash : hashes) ZKV_CHECK(people.insert(RecoveryCode{hash, owner.id, now()}));
  ZKV_CHECK(desk_.store().append({now(), "recovery.make", "", actor_of(owner), made_detail(owner, hashes)}));
  return true;
}

Result<Approver> LedgerPeople::owner_of_code(const crypto::Sha256& proof) {
  ZKV_TRY(const auto code, desk_.store().people().find_recovery_code(hash_of_proof(proof)));
  if (!code) return no_such_code();
  ZKV_TRY(auto owner, desk_.store().people().find_approver(code->approver));
  if (!owner || owner->is_revoked()) return no_such_code();
  return std::move(*owner);
}

asio::awaitable<Result<RegistrationAsk>> LedgerPeople::begin_recovery(SecretBytes code) {
  const auto proof = proof_of_recovery_code(code.view());
  return on_ledger<RegistrationAsk>(*ledger_, desk_, [this, proof](Decisions&) -> Result<RegistrationAsk> {
    ZKV_TRY(const auto owner, owner_of_code(proof));
    ChallengeUse use;
    use.purpose = ChallengeUse::Purpose::kRecover;
    use.invite = bytes_from(hash_of_proof(proof));
    return ask_to_register(owner, std::move(use));
  });
}

asio::awaitable<Result<NewSession>> LedgerPeople::finish_recovery(SecretBytes code, MadePasskey made,
                                                                  std::string address) {
  auto token = crypto::random_secret(kSessionTokenSize);
  std::function<Result<SignedIn>(Decisions&)> work = [this, proof = proof_of_recovery_code(code.view()),
                                                      key = session_key(token), &made, &address](Decisions&) {
    return take_back(proof, made, key, address);
  };
  auto signed_in = co_await on_ledger<SignedIn>(*ledger_, desk_, std::move(work));
  if (!signed_in) {
    note_("refused.recovery", address, signed_in.error().message());
    co_return tl::unexpected(signed_in.error());
  }
  tell_(signed_in->approver.id, {PersonalNews::What::kRecoveryUsed, printable(std::move(address))});
  co_return NewSession{std::move(*signed_in), std::move(token)};
}

Result<SignedIn> LedgerPeople::take_back(const crypto::Sha256& proof, const MadePasskey& made,
                                         const SessionKey& key, const std::string& address) {
  auto& people = desk_.store().people();
  const auto hash = hash_of_proof(proof);
  ZKV_TRY(const auto spent, spend(made.registration.client_data_json, ChallengeUse::Purpose::kRecover));
  ZKV_TRY(const auto owner, owner_of_code(proof));
  if (spent.use.invite != bytes_from(hash) || spent.use.approver != owner.id) return wrong_challenge();
  ZKV_CHECK(people.end_recovery_code(hash));
  ZKV_CHECK(people.end_sessions_of(owner.id));
  ZKV_CHECK(
      desk_.store().append({now(), "recovery.use", "", actor_of(owner), used_detail(owner, proof, address)}));
  ZKV_CHECK(insert_passkey(owner, made, spent.challenge));
  return open_session(owner, key, SessionKind::kPasskey);
}

}  // namespace zkv::gateway
