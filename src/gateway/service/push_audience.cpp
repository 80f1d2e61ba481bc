// What the channel asks and reports, from its own threads.
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "gateway/service/ledger_push.h"
#include "gateway/service/push_text.h"

namespace zkv::gateway {
namespace {

/// The store's id of what the channel calls by its hex.
std::optional<SubscriptionId> id_of(const PushLetter& letter) {
  const auto bytes = from_hex(letter.to.id);
  SubscriptionId id{};
  if (!bytes || bytes->size() != id.size()) return std::nullopt;
  std::ranges::copy(*bytes, id.begin());
  return id;
}

std::string summary_of(const PushRound& round) {
  auto text = fmt::format("web push: told {} of {}", round.told, round.asked);
  for (const auto& failure : round.failures)
    text += (&failure == &round.failures.front() ? ": " : "; ") + failure;
  return text;
}

}  // namespace

Result<> LedgerPush::on_ledger_now(std::function<Result<>()> work) {
  const auto outcome = std::make_shared<std::promise<Result<>>>();
  auto future = outcome->get_future();
  ledger_->submit({std::move(work), [outcome](const Result<>& committed) { outcome->set_value(committed); }});
  return future.get();
}

Result<std::vector<PushAddressee>> LedgerPush::addressees() {
  std::vector<PushAddressee> addressees;
  ZKV_CHECK(on_ledger_now([this, &addressees]() -> Result<> {
    ZKV_TRY(const auto subscriptions, desk_.store().push().all_subscriptions());
    for (const auto& one : subscriptions) addressees.push_back(addressee_of(one));
    return {};
  }));
  return addressees;
}

void LedgerPush::tell(const ApproverId& approver, PersonalNews news) {
  tell_those([approver](PushStore& store) { return store.subscriptions_of(approver); }, std::move(news));
}

void LedgerPush::tell_all(PersonalNews news) {
  tell_those([](PushStore& store) { return store.all_subscriptions(); }, std::move(news));
}

void LedgerPush::tell_those(Find find, PersonalNews news) {
  if (!post_) return;
  const auto addressees = std::make_shared<std::vector<PushAddressee>>();
  ledger_->submit({[this, find = std::move(find), addressees]() -> Result<> {
                     ZKV_TRY(const auto subscriptions, find(desk_.store().push()));
                     for (const auto& one : subscriptions) addressees->push_back(addressee_of(one));
                     return {};
                   },
                   [this, addressees, news = std::move(news)](const Result<>& found) {
                     if (found) static_cast<void>(post_->tell(news, *addressees));
                   }});
}

bool LedgerPush::still_wants(const PushLetter& letter) {
  bool wants = false;
  const auto asked = on_ledger_now([this, &letter, &wants]() -> Result<> {
    const auto id = id_of(letter);
    if (!id) return {};
    ZKV_TRY(const auto subscription, desk_.store().push().find(*id));
    if (!subscription) return {};
    wants = letter.request.text.empty();
    if (wants) return {};
    ZKV_TRY(const auto request, desk_.store().find(letter.request));
    wants = request.state == State::kPending;
    return {};
  });
  return asked && wants;
}

void LedgerPush::concluded(const PushLetter& letter, const PushAnswer& answer) {
  if (answer.verdict == PushVerdict::kDropped) return;
  ledger_->submit({[this, letter, answer] { return write(letter, answer); }, [](const Result<>&) {}});
}

void LedgerPush::concluded(const PushRound& round) {
  ledger_->submit({[this, round] { return write(round); }, [](const Result<>&) {}});
}

Result<> LedgerPush::write(const PushLetter& letter, const PushAnswer& answer) {
  const auto id = id_of(letter);
  if (!id) return {};
  ZKV_TRY(auto subscription, desk_.store().push().find(*id));
  if (!subscription || subscription->endpoint != letter.to.subscription.endpoint) return {};
  if (answer.verdict == PushVerdict::kGone) {
    return end(*subscription, "gateway", "its push service knows it no more: " + answer.why);
  }
  if (answer.verdict == PushVerdict::kTaken) subscription->told_at = now();
  subscription->failure = printable(answer.why);
  return desk_.store().push().update(*subscription);
}

Result<> LedgerPush::write(const PushRound& round) {
  if (round.told == 0 && round.failures.empty()) return {};
  return desk_.note(round.told > 0 ? "notice.sent" : "notice.failed", round.request.text, "gateway",
                    summary_of(round));
}

}  // namespace zkv::gateway
