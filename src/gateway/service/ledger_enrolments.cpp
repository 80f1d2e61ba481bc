// Who may become a host, and the order in which its share, its row and its invite change.
#include "gateway/service/ledger_enrolments.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crypto/random.h"
#include "gateway/service/suspend.h"
#include "gateway/signature/host_signature.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestHostName = 64;
constexpr std::size_t kHostIdDigits = 64;
constexpr std::chrono::hours kLongestInvite{24 * 30};

Bytes hash_of_invite(std::span<const std::uint8_t> token) {
  const auto hash = crypto::sha256(token);
  return {hash.begin(), hash.end()};
}

bool is_plain_name(const std::string& name) {
  static constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return name.size() <= kLongestHostName && name.find_first_not_of(kAllowed) == std::string::npos;
}

/// Commands take a name or an id: one must not be read as the other.
bool is_like_id(const std::string& name) {
  return name.size() == kHostIdDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<> check_names(const std::string& name, const std::string& group) {
  if (is_like_id(name)) return Error::invalid("'" + name + "' is the id of a host, not a name");
  if (!name.empty() && is_plain_name(name) && is_plain_name(group)) return {};
  return Error::invalid(fmt::format("'{}' is no name for a {}",
                                    printable(name.empty() || !is_plain_name(name) ? name : group),
                                    name.empty() || !is_plain_name(name) ? "host" : "group"))
      .remedy("use 1 to 64 letters, digits, dots, hyphens and underscores");
}

Error not_this_invite(const std::string& why) {
  return Error::denied("the invite is not valid: " + why)
      .remedy("make a new one at the gateway: zkvgateway host invite NAME")
      .named("invite");
}

Error enrolled_before(const Host& host) {
  return Error::exists(
             fmt::format("this identity is enrolled as '{}' already, by another invite or with another "
                         "share",
                         host.name))
      .remedy("enrol with a new identity: 'zkv unenroll' on the host, and 'zkv enroll' with a new invite")
      .named("enrolled");
}

Error enrolled_meanwhile() {
  return Error::unavailable("this identity is being enrolled at this moment")
      .remedy("say it once more in a few seconds");
}

/// The words of an error, as an error to be returned from another road.
Error again(const Error& error) { return error; }

}  // namespace

std::string share_name(const std::string& host_id) { return "zkv-host-" + host_id; }

asio::awaitable<Result<MadeInvite>> LedgerEnrolments::invite(NewInvite wanted, std::string by) {
  ZKV_CO_CHECK(check_names(wanted.name, wanted.group));
  if (wanted.lasts.count() <= 0 || wanted.lasts > kLongestInvite) {
    co_return Error::invalid("an invite lasts from one second to 30 days");
  }
  auto token = crypto::random_secret(protocol::kInviteSize);
  Invite invite;
  invite.hash = hash_of_invite(token.span());
  invite.name = std::move(wanted.name);
  invite.group = std::move(wanted.group);
  invite.created_at = now();
  invite.expires_at = invite.created_at + wanted.lasts;
  std::function<Result<Invite>(Decisions&)> work = [this, invite, by](Decisions&) -> Result<Invite> {
    const auto taken = desk_.store().hosts().host_called(invite.name);
    if (taken) {
      return Error::exists(fmt::format("there is a host '{}' already", invite.name))
          .remedy("give another name, or revoke it first: zkvgateway host revoke " + invite.name);
    }
    ZKV_CHECK(desk_.store().hosts().insert(invite));
    ZKV_CHECK(desk_.note("host.invite", "", by, invite.name));
    return invite;
  };
  auto made = co_await on_ledger<Invite>(ledger_, desk_, std::move(work));
  if (!made) co_return again(made.error());
  co_return MadeInvite{std::move(*made), std::move(token)};
}

/// The identity is the message's own word: it is believed for this one message, since the invite is.
Result<protocol::Enrolment> LedgerEnrolments::read(const protocol::Envelope& envelope) const {
  ZKV_TRY(auto enrolment, protocol::read_body<protocol::Enrolment>(envelope.body));
  ZKV_CHECK(check_identity(enrolment.identity));
  ZKV_CHECK(check_host_signature(envelope, protocol::Enrolment::kType, enrolment.identity));
  if (enrolment.gateway != identity_.id()) return Error::denied("the enrolment is meant for another gateway");
  return enrolment;
}

Result<LedgerEnrolments::Newcomer> LedgerEnrolments::admit(const protocol::Enrolment& enrolment) {
  auto& hosts = desk_.store().hosts();
  Newcomer newcomer;
  newcomer.invite = hash_of_invite(enrolment.invite);
  newcomer.host.id = to_hex(protocol::key_id(enrolment.identity));
  ZKV_TRY(const auto invite, hosts.find_invite(newcomer.invite));
  if (!invite || invite->kind != Invite::Kind::kHost) return not_this_invite("this gateway did not make it");
  if (!invite->used_by.empty() && invite->used_by != newcomer.host.id) {
    return not_this_invite("it was used before");
  }
  ZKV_TRY(auto known, hosts.find_host(newcomer.host.id));
  if (known && known->is_revoked()) return not_this_invite("the host was revoked");
  if (known && invite->used_by != known->id) return enrolled_before(*known);
  if (known) return Newcomer{std::move(*known), newcomer.invite, true, nullptr};
  if (now() >= invite->expires_at) return not_this_invite("it is over since " + to_text(invite->expires_at));
  newcomer.host.name = invite->name;
  newcomer.host.group = invite->group;
  newcomer.host.identity = enrolment.identity;
  newcomer.host.repository = to_hex(enrolment.repository);
  newcomer.hold = under_way_.begin(newcomer.host.id);
  if (!newcomer.hold) return enrolled_meanwhile();
  return newcomer;
}

/// Makes the newcomer a host.
Result<Host> LedgerEnrolments::settle(const Newcomer& newcomer, const std::string& address) {
  auto& hosts = desk_.store().hosts();
  Host host = newcomer.host;
  host.enrolled_at = now();
  host.seen_at = host.enrolled_at;
  host.address = address;
  ZKV_CHECK(hosts.use_invite(newcomer.invite, host.id));
  ZKV_CHECK(hosts.insert(host));
  ZKV_CHECK(desk_.note("host.enrol", "", address, fmt::format("{} {}", host.name, host.id)));
  return host;
}

Result<std::shared_ptr<const SecretBytes>> LedgerEnrolments::share_of(
    const protocol::Enrolment& enrolment) const {
  const auto share = identity_.sealing().open(enrolment.share);
  if (!share || share->size() != protocol::kShareSize) {
    return Error::invalid("the share is not sealed to this gateway")
        .remedy("enrol again: the gateway's identity may have changed meanwhile");
  }
  return std::make_shared<const SecretBytes>(to_base64_secret(share->span(), Base64::kUrlNoPadding));
}

/// What came once more must be what came before, or its sender would take for kept what is not.
asio::awaitable<Result<Host>> LedgerEnrolments::repeat(const protocol::Enrolment& enrolment, Host host) {
  ZKV_CO_TRY(const auto text, share_of(enrolment));
  std::function<Result<bool>()> work = [this, text, name = share_name(host.id)]() -> Result<bool> {
    ZKV_TRY(const auto kept, vault_.recover(name, stop_));
    return equal_in_constant_time(kept.span(), text->span());
  };
  const auto is_same = co_await as_errand<bool>(errands_, std::move(work));
  if (!is_same) co_return again(is_same.error());
  if (!*is_same) co_return enrolled_before(host);
  co_return host;
}

asio::awaitable<Result<bool>> LedgerEnrolments::deposit(const protocol::Enrolment& enrolment,
                                                        const Newcomer& newcomer) {
  ZKV_CO_TRY(const auto text, share_of(enrolment));
  std::function<Result<bool>()> work = [this, text, name = share_name(newcomer.host.id),
                                        hold = newcomer.hold]() -> Result<bool> {
    ZKV_CHECK(vault_.deposit(name, *text, stop_));
    return true;
  };
  co_return co_await as_errand<bool>(errands_, std::move(work));
}

asio::awaitable<Result<bool>> LedgerEnrolments::destroy(std::string host_id) {
  std::function<Result<bool>()> work = [this, host_id = std::move(host_id)]() -> Result<bool> {
    ZKV_CHECK(vault_.destroy(share_name(host_id), stop_));
    return true;
  };
  co_return co_await as_errand<bool>(errands_, std::move(work));
}

asio::awaitable<Result<Host>> LedgerEnrolments::enrol(protocol::Envelope envelope, std::string address) {
  ZKV_CO_TRY(const auto enrolment, read(envelope));
  std::function<Result<Newcomer>(Decisions&)> admission = [this, &enrolment](Decisions&) {
    return admit(enrolment);
  };
  auto newcomer = co_await on_ledger<Newcomer>(ledger_, desk_, std::move(admission));
  if (!newcomer) co_return again(newcomer.error());
  if (newcomer->is_known) co_return co_await repeat(enrolment, std::move(newcomer->host));
  const auto deposited = co_await deposit(enrolment, *newcomer);
  if (!deposited) co_return again(deposited.error());
  std::function<Result<Host>(Decisions&)> settling = [this, &newcomer, &address](Decisions&) {
    return settle(*newcomer, address);
  };
  auto host = co_await on_ledger<Host>(ledger_, desk_, std::move(settling));
  // Nobody's share may stay in the vault; it is of no use without its host, should this fail too.
  if (!host) static_cast<void>(co_await destroy(newcomer->host.id));
  co_return host;
}

asio::awaitable<Result<std::vector<Host>>> LedgerEnrolments::hosts() {
  return on_ledger<std::vector<Host>>(ledger_, desk_,
                                      [this](Decisions&) { return desk_.store().hosts().all_hosts(); });
}

asio::awaitable<Result<Host>> LedgerEnrolments::host(std::string name) {
  return on_ledger<Host>(ledger_, desk_, [this, name = std::move(name)](Decisions&) {
    return desk_.store().hosts().host_called(name);
  });
}

asio::awaitable<Result<Host>> LedgerEnrolments::rename(std::string name, std::string new_name,
                                                       std::string by) {
  return on_ledger<Host>(ledger_, desk_,
                         [this, name = std::move(name), new_name = std::move(new_name),
                          by = std::move(by)](Decisions&) -> Result<Host> {
                           ZKV_CHECK(check_names(new_name, ""));
                           ZKV_TRY(auto host, desk_.store().hosts().host_called(name));
                           if (host.is_revoked())
                             return Error::conflict(fmt::format("the host '{}' is revoked", host.name));
                           const auto old_name = std::exchange(host.name, new_name);
                           ZKV_CHECK(desk_.store().hosts().update(host));
                           ZKV_CHECK(desk_.note("host.rename", "", by,
                                                fmt::format("{} {} is now {}", host.id, old_name, new_name)));
                           return host;
                         });
}

Result<> LedgerEnrolments::mark_revoked(Host host, const std::string& by, Decisions& decisions) {
  auto& hosts = desk_.store().hosts();
  ZKV_TRY(const auto open, hosts.open_requests_of(host.id));
  for (const auto& request : open.requests) {
    ZKV_CHECK(desk_.apply(request, event::Cancel{by, "the host was revoked"}, by, decisions));
  }
  host.revoked_at = now();
  ZKV_CHECK(hosts.update(host));
  ZKV_CHECK(hosts.end_releases_of(host.id));
  ZKV_CHECK(hosts.end_boot_approval(host.id));
  return desk_.note("host.revoke", "", by, fmt::format("{} {}", host.name, host.id));
}

Result<> LedgerEnrolments::end_one(const std::string& id, const std::string& by,
                                   std::vector<std::string>& ended, Decisions& decisions) {
  ZKV_TRY(auto host, desk_.store().hosts().host_called(id));
  if (host.destroyed_at == Time()) ended.push_back(host.id);
  return host.is_revoked() ? Result<>() : mark_revoked(std::move(host), by, decisions);
}

Result<> LedgerEnrolments::end_host(const std::string& id, const std::string& by, const std::string& heir,
                                    std::vector<std::string>& ended, Decisions& decisions) {
  ZKV_CHECK(end_one(id, by, ended, decisions));
  return end_successors(id, by, heir, false, ended, decisions);
}

Result<> LedgerEnrolments::end_successors(const std::string& id, const std::string& by,
                                          const std::string& heir, bool waits,
                                          std::vector<std::string>& ended, Decisions& decisions) {
  auto& hosts = desk_.store().hosts();
  ZKV_TRY(const auto invites, hosts.successions_of(id));
  for (const auto& invite : invites) {
    if (invite.used_by.empty()) {
      ZKV_CHECK(hosts.use_invite(invite.hash, "withdrawn"));
      continue;
    }
    ZKV_TRY(const auto successor, hosts.find_host(invite.used_by));
    if (!successor || successor->id == heir) continue;
    // One that took the place is a host in its own right: who revokes the old one once more means that alone.
    const bool has_place = successor->name != invite.name;
    if (has_place && !waits) continue;
    ZKV_CHECK(end_one(successor->id, by, ended, decisions));
    ZKV_CHECK(end_successors(successor->id, by, heir, true, ended, decisions));
  }
  return {};
}

Result<Host> LedgerEnrolments::mark_destroyed(const std::string& id, const std::string& by) {
  auto& hosts = desk_.store().hosts();
  ZKV_TRY(auto host, hosts.host_called(id));
  if (host.destroyed_at != Time()) return host;
  host.destroyed_at = now();
  ZKV_CHECK(hosts.update(host));
  const protocol::Tombstone tombstone{protocol::key_id(host.identity), identity_.id(), share_name(id),
                                      host.destroyed_at};
  const auto envelope = protocol::to_json(protocol::seal_message(tombstone, identity_.signing()));
  ZKV_CHECK(desk_.store().append({host.destroyed_at, "host.tombstone", "", by, envelope}));
  return host;
}

asio::awaitable<Result<>> LedgerEnrolments::destroy_shares(std::vector<std::string> hosts, std::string by) {
  for (const auto& id : hosts) {
    std::string its_id = id;
    const auto destroyed = co_await destroy(std::move(its_id));
    if (!destroyed) {
      co_return Error(destroyed.error().kind(),
                      fmt::format("the host {} is revoked, but its share was not destroyed: {}", id,
                                  destroyed.error().message()))
          .remedy("mend that, and say once more: zkvgateway host revoke " + id);
    }
    std::function<Result<Host>(Decisions&)> ending = [this, &id, &by](Decisions&) {
      return mark_destroyed(id, by);
    };
    const auto ended = co_await on_ledger<Host>(ledger_, desk_, std::move(ending));
    if (!ended) co_return tl::unexpected(ended.error());
  }
  co_return Result<>();
}

asio::awaitable<Result<Host>> LedgerEnrolments::revoke(std::string name, std::string by) {
  std::vector<std::string> ended;
  std::function<Result<std::string>(Decisions&)> marking = [&](Decisions& decisions) -> Result<std::string> {
    ended.clear();
    ZKV_TRY(const auto host, desk_.store().hosts().host_called(name));
    ZKV_CHECK(end_host(host.id, by, "", ended, decisions));
    return host.id;
  };
  const auto id = co_await on_ledger<std::string>(ledger_, desk_, std::move(marking));
  if (!id) co_return again(id.error());
  const auto destroyed = co_await destroy_shares(ended, by);
  if (!destroyed) co_return again(destroyed.error());
  co_return co_await host(*id);
}

}  // namespace zkv::gateway
