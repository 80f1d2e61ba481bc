// Invites that lie about unused, as owners and whoever is at the console see and end them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/service/ledger_people.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kInviteIdSize = 8;
constexpr const char* kWithdrawn = "withdrawn";

std::string_view word_for(const Invite& invite) {
  return invite.kind == Invite::Kind::kHost ? "host" : "approver";
}

}  // namespace

std::string id_of(const Invite& invite) {
  return to_hex({invite.hash.data(), std::min(invite.hash.size(), kInviteIdSize)});
}

asio::awaitable<Result<std::vector<Invite>>> LedgerPeople::invites(Viewer by) {
  std::function<Result<std::vector<Invite>>(Decisions&)> work =
      [this, by = std::move(by)](Decisions&) -> Result<std::vector<Invite>> {
    ZKV_CHECK(owner_or_console(by));
    return desk_.store().hosts().open_invites(now());
  };
  return on_ledger<std::vector<Invite>>(*ledger_, desk_, std::move(work));
}

asio::awaitable<Result<Invite>> LedgerPeople::withdraw_invite(std::string id, Viewer by) {
  std::function<Result<Invite>(Decisions&)> work = [this, id = std::move(id),
                                                    by = std::move(by)](Decisions&) -> Result<Invite> {
    ZKV_TRY(const auto owner, owner_or_console(by));
    auto& hosts = desk_.store().hosts();
    ZKV_TRY(const auto open, hosts.open_invites(now()));
    const auto found = std::ranges::find(open, id, id_of);
    if (found == open.end()) {
      return Error::not_found("there is no such invite that could still be used")
          .remedy("'zkvgateway invite list' prints those there are");
    }
    ZKV_CHECK(hosts.use_invite(found->hash, kWithdrawn));
    ZKV_CHECK(desk_.note("invite.withdraw", "", owner, fmt::format("{} {}", word_for(*found), found->name)));
    return *found;
  };
  return on_ledger<Invite>(*ledger_, desk_, std::move(work));
}

}  // namespace zkv::gateway
