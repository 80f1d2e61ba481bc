// Where people want to be told by Web Push, in SQL: one row for each browser of each approver.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/result.h"
#include "base/time.h"
#include "gateway/store/people_store.h"

namespace zkv::gateway {

using SubscriptionId = std::array<std::uint8_t, 16>;

/// Times that have not come yet are the epoch.
struct Subscription {
  SubscriptionId id{};
  ApproverId approver{};
  std::string endpoint;  ///< a capability: whoever has it can send there; never shown, never logged
  Bytes key;             ///< the browser's point of P-256
  Bytes auth;            ///< what it shares with us
  std::string label;
  Time created_at;
  Time told_at;         ///< when its push service last took a message
  std::string failure;  ///< what that service last said instead; empty: it took the last message
};

/// As Store: for one thread at a time, inside the store's transactions. Errors not said: those of the
/// database, and kCorrupt for a row that cannot be read.
class PushStore {
 public:
  virtual ~PushStore() = default;

  virtual Result<> insert(const Subscription& subscription) = 0;
  /// Writes all but id, approver, endpoint and created_at. Errors: kNotFound.
  virtual Result<> update(const Subscription& subscription) = 0;
  /// Errors: kNotFound.
  virtual Result<> remove(const SubscriptionId& id) = 0;
  virtual Result<> remove_all_of(const ApproverId& approver) = 0;
  virtual Result<std::optional<Subscription>> find(const SubscriptionId& id) = 0;
  /// Oldest first.
  virtual Result<std::vector<Subscription>> subscriptions_of(const ApproverId& approver) = 0;
  virtual Result<std::vector<Subscription>> all_subscriptions() = 0;
};

}  // namespace zkv::gateway
