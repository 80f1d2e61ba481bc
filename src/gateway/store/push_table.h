// Subscriptions as rows: the statements on zkv_push_subscription.
#pragma once

#include <string>
#include <vector>

#include "gateway/store/database.h"
#include "gateway/store/push_store.h"

namespace zkv::gateway {

class PushTable : public PushStore {
 public:
  explicit PushTable(Database& database) : database_(database) {}

  Result<> insert(const Subscription& subscription) override;
  Result<> update(const Subscription& subscription) override;
  Result<> remove(const SubscriptionId& id) override;
  Result<> remove_all_of(const ApproverId& approver) override;
  Result<std::optional<Subscription>> find(const SubscriptionId& id) override;
  Result<std::vector<Subscription>> subscriptions_of(const ApproverId& approver) override;
  Result<std::vector<Subscription>> all_subscriptions() override;

 private:
  /// `rest` is what follows the table's name in the SELECT; `parameter` fills its :1, if it has one.
  Result<std::vector<Subscription>> select(const std::string& rest,
                                           const std::optional<std::string>& parameter);

  Database& database_;
};

}  // namespace zkv::gateway
