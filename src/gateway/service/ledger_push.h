// Push over the ledger, and what the channel asks of it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/channel/web_push.h"
#include "gateway/service/desk.h"
#include "gateway/service/ledger.h"
#include "gateway/service/ledger_people.h"
#include "gateway/service/push.h"

namespace zkv::gateway {

class LedgerPush : public Push, public PushAudience {
 public:
  /// All outlive this; `post` may be null.
  LedgerPush(Desk& desk, const std::shared_ptr<Ledger>& ledger, LedgerPeople& people,
             std::shared_ptr<PushPost> post);
  LedgerPush(const LedgerPush&) = delete;
  LedgerPush& operator=(const LedgerPush&) = delete;
  ~LedgerPush() override { LedgerPush::close(); }
  /// Sends no more, and asks the ledger nothing more.
  void close();

  /// From any thread: has an approver's own browsers told, soon. That it cannot be done stops nothing.
  void tell(const ApproverId& approver, PersonalNews news);
  /// The same of all approvers.
  void tell_all(PersonalNews news);

  boost::asio::awaitable<Result<PushPoint>> key(SessionKey key) override;
  boost::asio::awaitable<Result<Subscription>> subscribe(SessionKey key, NewSubscription wanted) override;
  boost::asio::awaitable<Result<std::vector<Subscription>>> subscriptions(SessionKey key) override;
  boost::asio::awaitable<Result<Subscription>> unsubscribe(SessionKey key, Bytes id) override;
  boost::asio::awaitable<Result<std::size_t>> test(SessionKey key) override;

  Result<std::vector<PushAddressee>> addressees() override;
  bool still_wants(const PushLetter& letter) override;
  void concluded(const PushLetter& letter, const PushAnswer& answer) override;
  void concluded(const PushRound& round) override;

 private:
  using Find = std::function<Result<std::vector<Subscription>>(PushStore&)>;
  void tell_those(Find find, PersonalNews news);

  // In a transaction, on the ledger's thread.
  Result<Subscription> take(const Approver& owner, const NewSubscription& wanted);
  Result<Subscription> renew(Subscription known, const NewSubscription& wanted);
  Result<> make_room(const Approver& owner, std::vector<Subscription> subscriptions);
  Result<> end(const Subscription& subscription, const std::string& by, const std::string& why);
  Result<Subscription> own(const Approver& owner, const Bytes& id);
  Result<> write(const PushLetter& letter, const PushAnswer& answer);
  Result<> write(const PushRound& round);

  /// Waits for one command of the ledger; never on its own thread.
  Result<> on_ledger_now(std::function<Result<>()> work);
  Result<> available() const;

  Desk& desk_;
  const std::shared_ptr<Ledger>& ledger_;
  LedgerPeople& people_;
  std::shared_ptr<PushPost> post_;
};

}  // namespace zkv::gateway
