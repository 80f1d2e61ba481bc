// A person's passkeys: made, called something, removed. Each is in the audit log from its registration on,
// with all that it takes to check what it signed.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "gateway/passkey/parts.h"
#include "gateway/service/ledger_people.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

std::string base64_text(std::span<const std::uint8_t> bytes) {
  return to_base64(bytes, Base64::kUrlNoPadding);
}

/// docs/protocol-v2.md, "An approval by passkey".
std::string audit_detail(const Approver& approver, const Passkey& passkey,
                         const passkey::RelyingParty& party) {
  return boost::json::serialize(boost::json::object{{"approver", base64_text(approver.id)},
                                                    {"name", approver.name},
                                                    {"credential", base64_text(passkey.id)},
                                                    {"label", passkey.label},
                                                    {"publicKey", base64_text(passkey.public_key)},
                                                    {"backupEligible", passkey.backup_eligible},
                                                    {"rp", party.id},
                                                    {"origin", party.origin}});
}

Error no_such_passkey() {
  return Error::not_found("you have no such passkey").remedy("look at the list again");
}

}  // namespace

Result<passkey::Challenge> claimed_challenge(const Bytes& client_data) {
  const auto data = passkey::parse_client_data(client_data);
  if (!data) return refused_passkey(data.error());
  passkey::Challenge claimed{};
  const auto bytes = from_base64(data->challenge, Base64::kUrlNoPadding);
  if (!bytes || bytes->size() != claimed.size()) return wrong_challenge();
  std::ranges::copy(*bytes, claimed.begin());
  return claimed;
}

/// It serves no more, whatever becomes of the answer.
Result<SpentChallenge> LedgerPeople::spend(const Bytes& client_data, ChallengeUse::Purpose purpose) {
  ZKV_TRY(const auto claimed, claimed_challenge(client_data));
  auto spent = challenges_.spend(claimed, now());
  if (!spent || spent->use.purpose != purpose) return wrong_challenge();
  return std::move(*spent);
}

Result<Passkey> LedgerPeople::insert_passkey(const Approver& approver, const MadePasskey& made,
                                             const passkey::Challenge& challenge) {
  ZKV_CHECK(check_label(made.label));
  auto credential = passkey::verify_registration(made.registration, {challenge, made.party});
  if (!credential) return refused_passkey(credential.error());
  Passkey passkey;
  passkey.id = std::move(credential->id);
  passkey.approver = approver.id;
  passkey.label = made.label;
  passkey.public_key = std::move(credential->public_key);
  passkey.counter = credential->counter;
  passkey.backup_eligible = credential->backup_eligible;
  passkey.backed_up = credential->backed_up;
  passkey.created_at = now();
  ZKV_CHECK(desk_.store().people().insert(passkey));
  ZKV_CHECK(desk_.store().append({passkey.created_at, "approver.passkey", "", actor_of(approver),
                                  audit_detail(approver, passkey, made.party)}));
  return passkey;
}

Result<> LedgerPeople::end(Passkey passkey, const std::string& why) {
  passkey.ended_at = now();
  passkey.ended_why = why;
  ZKV_CHECK(desk_.store().people().update(passkey));
  return desk_.note("approver.passkey-end", "", "gateway", base64_text(passkey.id) + ": " + why);
}

Result<Passkey> LedgerPeople::own_passkey(const Approver& owner, const Bytes& id) {
  ZKV_TRY(auto passkey, desk_.store().people().find_passkey(id));
  if (!passkey || passkey->has_ended() || passkey->approver != owner.id) return no_such_passkey();
  return std::move(*passkey);
}

asio::awaitable<Result<std::vector<Passkey>>> LedgerPeople::passkeys(SessionKey key) {
  return on_ledger<std::vector<Passkey>>(*ledger_, desk_,
                                         [this, key](Decisions&) -> Result<std::vector<Passkey>> {
                                           ZKV_TRY(const auto me, who(key));
                                           return desk_.store().people().passkeys_of(me.approver.id);
                                         });
}

asio::awaitable<Result<RegistrationAsk>> LedgerPeople::begin_passkey(SessionKey key) {
  return on_ledger<RegistrationAsk>(*ledger_, desk_, [this, key](Decisions&) -> Result<RegistrationAsk> {
    ZKV_TRY(const auto me, who(key));
    ChallengeUse use;
    use.purpose = ChallengeUse::Purpose::kAddPasskey;
    return ask_to_register(me.approver, std::move(use));
  });
}

/// One more passkey of somebody who has some.
Result<RegistrationAsk> LedgerPeople::ask_to_register(const Approver& approver, ChallengeUse use) {
  ZKV_TRY(const auto passkeys, desk_.store().people().passkeys_of(approver.id));
  use.approver = approver.id;
  RegistrationAsk ask{random_challenge(), approver.id, approver.name, {}};
  for (const auto& passkey : passkeys) ask.exclude.push_back(passkey.id);
  challenges_.add(ask.challenge, std::move(use), now());
  return ask;
}

asio::awaitable<Result<Passkey>> LedgerPeople::add_passkey(Confirmation by, MadePasskey made) {
  passkey::Act act{"passkey.add", {base64_text(made.registration.id), made.label}};
  std::function<Result<Passkey>(const Performer&)> work =
      [this, made = std::move(made)](const Performer& me) -> Result<Passkey> {
    ZKV_TRY(const auto spent, spend(made.registration.client_data_json, ChallengeUse::Purpose::kAddPasskey));
    if (spent.use.approver != me.approver->id) return wrong_challenge();
    return insert_passkey(*me.approver, made, spent.challenge);
  };
  return perform<Passkey>(std::move(by), std::move(act), Role::kApprover, std::move(work));
}

asio::awaitable<Result<Passkey>> LedgerPeople::rename_passkey(SessionKey key, Bytes id, std::string label) {
  std::function<Result<Passkey>(Decisions&)> work =
      [this, key, id = std::move(id), label = std::move(label)](Decisions&) -> Result<Passkey> {
    ZKV_TRY(const auto me, who(key));
    ZKV_TRY(auto passkey, own_passkey(me.approver, id));
    ZKV_CHECK(check_label(label));
    passkey.label = label;
    ZKV_CHECK(desk_.store().people().update(passkey));
    ZKV_CHECK(desk_.note("approver.passkey-rename", "", actor_of(me.approver),
                         base64_text(passkey.id) + " is now " + label));
    return passkey;
  };
  return on_ledger<Passkey>(*ledger_, desk_, std::move(work));
}

/// Whoever holds it may hold a session, too: all but the one that removes it end.
asio::awaitable<Result<Passkey>> LedgerPeople::remove_passkey(Confirmation by, Bytes id) {
  passkey::Act act{"passkey.remove", {base64_text(id)}};
  std::function<Result<Passkey>(const Performer&)> work =
      [this, key = by.session, id = std::move(id)](const Performer& me) -> Result<Passkey> {
    ZKV_TRY(auto passkey, own_passkey(*me.approver, id));
    auto& people = desk_.store().people();
    ZKV_TRY(const auto all, people.passkeys_of(me.approver->id));
    if (all.size() <= 1) {
      return Error::conflict("this is your last passkey")
          .remedy("add another one before")
          .named("last-passkey");
    }
    ZKV_CHECK(end(passkey, "removed by " + me.name));
    ZKV_TRY(const auto session, people.find_session(key.hash));
    ZKV_CHECK(people.end_sessions_of(me.approver->id));
    if (session) ZKV_CHECK(people.insert(*session));
    return passkey;
  };
  return perform<Passkey>(std::move(by), std::move(act), Role::kApprover, std::move(work));
}

}  // namespace zkv::gateway
