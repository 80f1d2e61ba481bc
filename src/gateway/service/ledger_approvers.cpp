// Who may decide, as owners and whoever is at the console see and change it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/service/ledger_people.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

std::optional<ApproverId> id_from(const std::string& text) {
  auto bytes = from_hex(text);
  if (!bytes) bytes = from_base64(text, Base64::kUrlNoPadding);
  ApproverId id{};
  if (!bytes || bytes->size() != id.size()) return std::nullopt;
  std::ranges::copy(*bytes, id.begin());
  return id;
}

}  // namespace

asio::awaitable<Result<std::vector<ApproverCard>>> LedgerPeople::approvers(Viewer by) {
  std::function<Result<std::vector<ApproverCard>>(Decisions&)> work =
      [this, by = std::move(by)](Decisions&) -> Result<std::vector<ApproverCard>> {
    ZKV_CHECK(owner_or_console(by));
    auto& people = desk_.store().people();
    ZKV_TRY(const auto approvers, people.all_approvers());
    std::vector<ApproverCard> cards;
    for (const auto& approver : approvers) {
      ZKV_TRY(auto passkeys, people.passkeys_of(approver.id));
      ZKV_TRY(const auto codes, people.recovery_codes_of(approver.id));
      cards.push_back({approver, std::move(passkeys), codes.size()});
    }
    return cards;
  };
  return on_ledger<std::vector<ApproverCard>>(*ledger_, desk_, std::move(work));
}

Result<Approver> LedgerPeople::approver_named(const std::string& who) {
  auto& people = desk_.store().people();
  std::optional<Approver> found;
  if (const auto id = id_from(who)) {
    ZKV_TRY(found, people.find_approver(*id));
  }
  if (!found) {
    ZKV_TRY(found, people.approver_called(who));
  }
  if (found && !found->is_revoked()) return std::move(*found);
  return Error::not_found("there is no such approver")
      .remedy("'zkvgateway approver list' shows those there are");
}

asio::awaitable<Result<Approver>> LedgerPeople::revoke(std::string who, Doer by) {
  passkey::Act act{"approver.revoke", {who}};
  std::function<Result<Approver>(const Performer&)> work =
      [this, who = std::move(who)](const Performer& owner) { return end_approver(who, owner.name); };
  return perform<Approver>(std::move(by), std::move(act), Role::kOwner, std::move(work));
}

/// Who has no passkey can sign in no more, and revoke or invite nobody.
Result<> LedgerPeople::leaves_an_owner(const Approver& leaving) {
  if (leaving.role != Role::kOwner) return {};
  auto& people = desk_.store().people();
  ZKV_TRY(const auto all, people.all_approvers());
  for (const auto& other : all) {
    if (other.role != Role::kOwner || other.id == leaving.id) continue;
    ZKV_TRY(const auto passkeys, people.passkeys_of(other.id));
    if (!passkeys.empty()) return {};
  }
  return Error::conflict("this is the last owner who can sign in")
      .remedy(
          "make another one before: 'zkvgateway approver invite NAME --role owner', and let them register")
      .named("last-owner");
}

Result<Approver> LedgerPeople::end_approver(const std::string& who, const std::string& by) {
  auto& people = desk_.store().people();
  ZKV_TRY(auto approver, approver_named(who));
  ZKV_CHECK(leaves_an_owner(approver));
  ZKV_TRY(const auto passkeys, people.passkeys_of(approver.id));
  for (const auto& passkey : passkeys) ZKV_CHECK(end(passkey, "its approver was revoked"));
  approver.revoked_at = now();
  ZKV_CHECK(people.revoke(approver.id, approver.revoked_at));
  ZKV_CHECK(people.end_sessions_of(approver.id));
  ZKV_CHECK(people.end_recovery_codes_of(approver.id));
  ZKV_CHECK(desk_.store().totps().remove(approver.id));
  ZKV_CHECK(boots_.end_those_by(actor_of(approver)));
  ZKV_CHECK(boots_.end_those_by(code_actor_of(approver)));
  ZKV_CHECK(desk_.store().push().remove_all_of(approver.id));
  challenges_.forget(approver.id);
  ZKV_CHECK(desk_.note("approver.revoke", "", by, fmt::format("{} {}", approver.name, to_hex(approver.id))));
  return approver;
}

}  // namespace zkv::gateway
