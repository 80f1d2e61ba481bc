// What people do with their subscriptions.
#include "gateway/service/ledger_push.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crypto/random.h"
#include "gateway/service/push_text.h"
#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

Error no_such_subscription() {
  return Error::not_found("you have no such subscription").remedy("look at the list again");
}

std::string audit_detail_of(const Subscription& subscription) {
  return fmt::format("{}: {} at {}", to_base64(subscription.id, Base64::kUrlNoPadding), subscription.label,
                     push_service_of(subscription.endpoint));
}

}  // namespace

LedgerPush::LedgerPush(Desk& desk, const std::shared_ptr<Ledger>& ledger, LedgerPeople& people,
                       std::shared_ptr<PushPost> post)
    : desk_(desk), ledger_(ledger), people_(people), post_(std::move(post)) {
  if (post_) post_->open(*this);
}

void LedgerPush::close() {
  if (post_) post_->close();
}

Result<> LedgerPush::available() const {
  if (post_) return {};
  return Error::unsupported("this gateway sends no push messages");
}

asio::awaitable<Result<PushPoint>> LedgerPush::key(SessionKey key) {
  return on_ledger<PushPoint>(*ledger_, desk_, [this, key](Decisions&) -> Result<PushPoint> {
    ZKV_CHECK(people_.who(key));
    ZKV_CHECK(available());
    ZKV_TRY(const auto own_key, post_->key());
    return own_key->point();
  });
}

asio::awaitable<Result<Subscription>> LedgerPush::subscribe(SessionKey key, NewSubscription wanted) {
  std::function<Result<Subscription>(Decisions&)> work =
      [this, key, wanted = std::move(wanted)](Decisions&) -> Result<Subscription> {
    ZKV_TRY(const auto me, people_.who(key));
    ZKV_CHECK(available());
    ZKV_CHECK(check_label(wanted.label));
    ZKV_CHECK(post_->check(wanted.browser));
    return take(me.approver, wanted);
  };
  return on_ledger<Subscription>(*ledger_, desk_, std::move(work));
}

Result<Subscription> LedgerPush::take(const Approver& owner, const NewSubscription& wanted) {
  ZKV_TRY(auto subscriptions, desk_.store().push().subscriptions_of(owner.id));
  const auto known = std::ranges::find(subscriptions, wanted.browser.endpoint, &Subscription::endpoint);
  if (known != subscriptions.end()) return renew(std::move(*known), wanted);
  ZKV_CHECK(make_room(owner, std::move(subscriptions)));
  Subscription fresh;
  crypto::fill_random(fresh.id);
  fresh.approver = owner.id;
  fresh.endpoint = wanted.browser.endpoint;
  fresh.key = Bytes(wanted.browser.key.begin(), wanted.browser.key.end());
  fresh.auth = Bytes(wanted.browser.auth.begin(), wanted.browser.auth.end());
  fresh.label = wanted.label;
  fresh.created_at = now();
  ZKV_CHECK(desk_.store().push().insert(fresh));
  ZKV_CHECK(desk_.note("approver.push", "", actor_of(owner), audit_detail_of(fresh)));
  return fresh;
}

Result<Subscription> LedgerPush::renew(Subscription known, const NewSubscription& wanted) {
  known.key = Bytes(wanted.browser.key.begin(), wanted.browser.key.end());
  known.auth = Bytes(wanted.browser.auth.begin(), wanted.browser.auth.end());
  known.label = wanted.label;
  known.failure.clear();
  ZKV_CHECK(desk_.store().push().update(known));
  return known;
}

Result<> LedgerPush::make_room(const Approver& owner, std::vector<Subscription> subscriptions) {
  for (std::size_t i = 0; i + kMostSubscriptions <= subscriptions.size(); ++i) {
    ZKV_CHECK(end(subscriptions[i], actor_of(owner), "gave way to a newer one"));
  }
  return {};
}

Result<> LedgerPush::end(const Subscription& subscription, const std::string& by, const std::string& why) {
  ZKV_CHECK(desk_.store().push().remove(subscription.id));
  return desk_.note("approver.push-end", "", by, audit_detail_of(subscription) + ": " + why);
}

Result<Subscription> LedgerPush::own(const Approver& owner, const Bytes& id) {
  ZKV_TRY(auto subscriptions, desk_.store().push().subscriptions_of(owner.id));
  const auto found = std::ranges::find_if(
      subscriptions, [&](const auto& subscription) { return std::ranges::equal(subscription.id, id); });
  if (found == subscriptions.end()) return no_such_subscription();
  return std::move(*found);
}

asio::awaitable<Result<std::vector<Subscription>>> LedgerPush::subscriptions(SessionKey key) {
  return on_ledger<std::vector<Subscription>>(*ledger_, desk_,
                                              [this, key](Decisions&) -> Result<std::vector<Subscription>> {
                                                ZKV_TRY(const auto me, people_.who(key));
                                                return desk_.store().push().subscriptions_of(me.approver.id);
                                              });
}

asio::awaitable<Result<Subscription>> LedgerPush::unsubscribe(SessionKey key, Bytes id) {
  std::function<Result<Subscription>(Decisions&)> work =
      [this, key, id = std::move(id)](Decisions&) -> Result<Subscription> {
    ZKV_TRY(const auto me, people_.who(key));
    ZKV_TRY(auto subscription, own(me.approver, id));
    ZKV_CHECK(end(subscription, actor_of(me.approver), "removed"));
    return subscription;
  };
  return on_ledger<Subscription>(*ledger_, desk_, std::move(work));
}

asio::awaitable<Result<std::size_t>> LedgerPush::test(SessionKey key) {
  return on_ledger<std::size_t>(*ledger_, desk_, [this, key](Decisions&) -> Result<std::size_t> {
    ZKV_TRY(const auto me, people_.who(key));
    ZKV_CHECK(available());
    ZKV_TRY(const auto subscriptions, desk_.store().push().subscriptions_of(me.approver.id));
    if (subscriptions.empty()) {
      return Error::not_found("you have no subscription").remedy("turn notifications on first");
    }
    std::vector<PushAddressee> addressees;
    for (const auto& one : subscriptions) addressees.push_back(addressee_of(one));
    ZKV_CHECK(post_->test(addressees));
    return addressees.size();
  });
}

}  // namespace zkv::gateway
