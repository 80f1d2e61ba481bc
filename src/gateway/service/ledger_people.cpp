// Coming: invites, registrations, and what the other files of LedgerPeople have in common.
#include "gateway/service/ledger_people.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crypto/random.h"
#include "gateway/service/approver_name.h"
#include "gateway/service/service.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kActorPrefix = "approver:";
constexpr std::size_t kLongestLabel = 256;  ///< bytes; the page takes 64 characters
constexpr std::chrono::hours kLongestApproverInvite{24 * 30};

Bytes hash_of_token(std::span<const std::uint8_t> token) {
  const auto hash = crypto::sha256(token);
  return {hash.begin(), hash.end()};
}

bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

Error no_such_invite() {
  return Error::denied("this invite was used, has ended, or is not one of this gateway")
      .remedy("ask an owner for a new link")
      .named("invite");
}

}  // namespace

SessionKey session_key(const SecretBytes& token) { return {crypto::sha256(token.span())}; }

std::string actor_of(const Approver& approver) { return std::string(kActorPrefix) + approver.name; }

std::string without_approver(const std::string& actor) {
  return actor.starts_with(kActorPrefix) ? actor.substr(kActorPrefix.size()) : actor;
}

Result<> check_label(const std::string& label) {
  if (!label.empty() && label.size() <= kLongestLabel && std::ranges::none_of(label, is_control)) return {};
  return Error::invalid("a label has 1 to 64 characters, and none that control a terminal");
}

passkey::Challenge random_challenge() {
  passkey::Challenge challenge{};
  crypto::fill_random(challenge);
  return challenge;
}

Error wrong_challenge() {
  return Error::conflict("too much time went by since you were asked, or it was answered before")
      .remedy("try again")
      .named("challenge");
}

Error refused_passkey(const Error& why) {
  return Error::denied(why.message()).remedy(why.remedy()).named("passkey");
}

LedgerPeople::LedgerPeople(Desk& desk, const std::shared_ptr<Ledger>& ledger, LedgerBoots& boots,
                           const ServiceOptions& options, Note note, Tell tell)
    : desk_(desk),
      ledger_(ledger),
      boots_(boots),
      options_(options),
      note_(std::move(note)),
      tell_(std::move(tell)),
      challenges_(options.challenge_life),
      sign_ins_(options.challenge_life) {}

asio::awaitable<Result<MadeInvite>> LedgerPeople::invite(NewApprover wanted, Doer by) {
  if (!is_approver_name(wanted.name)) {
    co_return Error::invalid("this is no name for an approver")
        .remedy(
            "use 1 to 64 bytes, without colons, slashes, quotation marks, and characters that control or are "
            "not "
            "seen");
  }
  if (wanted.lasts.count() <= 0 || wanted.lasts > kLongestApproverInvite) {
    co_return Error::invalid("an invite lasts from one second to 30 days");
  }
  auto token = crypto::random_secret(protocol::kInviteSize);
  Invite invite;
  invite.hash = hash_of_token(token.span());
  invite.kind = Invite::Kind::kApprover;
  invite.name = std::move(wanted.name);
  invite.group = to_text(wanted.role);
  invite.created_at = now();
  invite.expires_at = invite.created_at + wanted.lasts;
  passkey::Act act{"approver.invite", {invite.name, invite.group}};
  std::function<Result<Invite>(const Performer&)> work = [this, invite](const Performer& owner) {
    return keep_invite(invite, owner.name);
  };
  auto made = co_await perform<Invite>(std::move(by), std::move(act), Role::kOwner, std::move(work));
  if (!made) co_return tl::unexpected(made.error());
  co_return MadeInvite{std::move(*made), std::move(token)};
}

Result<Invite> LedgerPeople::keep_invite(const Invite& invite, const std::string& by) {
  ZKV_CHECK(is_free(invite.name));
  ZKV_CHECK(desk_.store().hosts().insert(invite));
  ZKV_CHECK(desk_.note("approver.invite", "", by, fmt::format("{} as {}", invite.name, invite.group)));
  return invite;
}

Result<> LedgerPeople::is_free(const std::string& name) {
  ZKV_TRY(const auto approvers, desk_.store().people().all_approvers());
  for (const auto& other : approvers) {
    if (folded_name(other.name) != folded_name(name)) continue;
    return Error::exists(fmt::format("there is an approver '{}' already", other.name))
        .remedy("give another name, or revoke the other first");
  }
  return {};
}

Result<Invite> LedgerPeople::valid_invite(const Bytes& hash) {
  ZKV_TRY(auto invite, desk_.store().hosts().find_invite(hash));
  const bool is_valid = invite && invite->kind == Invite::Kind::kApprover && invite->used_by.empty() &&
                        now() < invite->expires_at;
  if (!is_valid) return no_such_invite();
  return std::move(*invite);
}

asio::awaitable<Result<RegistrationAsk>> LedgerPeople::begin_registration(SecretBytes invite) {
  return on_ledger<RegistrationAsk>(
      *ledger_, desk_, [this, hash = hash_of_token(invite.span())](Decisions&) -> Result<RegistrationAsk> {
        ZKV_TRY(const auto found, valid_invite(hash));
        ChallengeUse use;
        use.purpose = ChallengeUse::Purpose::kRegister;
        use.invite = hash;
        crypto::fill_random(use.approver);
        RegistrationAsk ask{random_challenge(), use.approver, found.name, {}};
        challenges_.add(ask.challenge, std::move(use), now());
        return ask;
      });
}

asio::awaitable<Result<NewSession>> LedgerPeople::finish_registration(SecretBytes invite, MadePasskey made,
                                                                      std::string address) {
  auto token = crypto::random_secret(kSessionTokenSize);
  std::function<Result<SignedIn>(Decisions&)> work = [this, hash = hash_of_token(invite.span()),
                                                      key = session_key(token), &made, &address](Decisions&) {
    return take_in(hash, made, key, address);
  };
  auto signed_in = co_await on_ledger<SignedIn>(*ledger_, desk_, std::move(work));
  if (!signed_in) {
    note_("refused.registration", address, signed_in.error().message());
    co_return tl::unexpected(signed_in.error());
  }
  co_return NewSession{std::move(*signed_in), std::move(token)};
}

Result<SignedIn> LedgerPeople::take_in(const Bytes& invite, const MadePasskey& made, const SessionKey& key,
                                       const std::string& address) {
  ZKV_TRY(const auto spent, spend(made.registration.client_data_json, ChallengeUse::Purpose::kRegister));
  ZKV_TRY(const auto found, valid_invite(invite));
  if (spent.use.invite != invite) return wrong_challenge();
  Approver approver;
  approver.id = spent.use.approver;
  approver.name = found.name;
  approver.role = role_from_text(found.group).value_or(Role::kApprover);
  approver.created_at = now();
  ZKV_CHECK(is_free(approver.name));
  ZKV_CHECK(desk_.store().people().insert(approver));
  ZKV_CHECK(desk_.store().hosts().use_invite(invite, to_hex(approver.id)));
  ZKV_CHECK(desk_.note("approver.register", "", address,
                       fmt::format("{} as {}, {}", approver.name, found.group, to_hex(approver.id))));
  ZKV_CHECK(insert_passkey(approver, made, spent.challenge));
  return open_session(approver, key, SessionKind::kPasskey);
}

}  // namespace zkv::gateway
