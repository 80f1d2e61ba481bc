// The statements on subscriptions.
#include "gateway/store/push_table.h"

#include "gateway/store/people_table.h"

namespace zkv::gateway {
namespace {

/// A subscription as the database holds it.
struct SubscriptionRow {
  std::string id, approver, endpoint, p256dh, auth, label, failure;
  long long created_at = 0;
  long long told_at = 0;
};

SubscriptionRow row_of_subscription(const Subscription& subscription) {
  return {to_hex(subscription.id),
          to_hex(subscription.approver),
          subscription.endpoint,
          to_hex(subscription.key),
          to_hex(subscription.auth),
          subscription.label,
          subscription.failure,
          milliseconds_of(subscription.created_at),
          milliseconds_of(subscription.told_at)};
}

Result<Subscription> subscription_from(const SubscriptionRow& row) {
  const std::string what = "subscription " + row.id;
  Subscription subscription;
  ZKV_TRY(subscription.id, bytes_of_column<sizeof(SubscriptionId)>(row.id, what));
  ZKV_TRY(subscription.approver, bytes_of_column<sizeof(ApproverId)>(row.approver, what));
  auto key = from_hex(row.p256dh);
  auto auth = from_hex(row.auth);
  if (!key || !auth) {
    return Error::corrupt("the database's row of " + what + " is damaged")
        .remedy("restore the database from the last backup");
  }
  subscription.endpoint = row.endpoint;
  subscription.key = std::move(*key);
  subscription.auth = std::move(*auth);
  subscription.label = row.label;
  subscription.failure = row.failure;
  subscription.created_at = time_of(row.created_at);
  subscription.told_at = time_of(row.told_at);
  return subscription;
}

Result<> one_row(const Result<long long>& rows) {
  if (!rows) return tl::unexpected(rows.error());
  if (*rows == 1) return {};
  return Error::not_found("there is no such subscription");
}

}  // namespace

Result<> PushTable::insert(const Subscription& subscription) {
  const auto row = row_of_subscription(subscription);
  return database_.run("inserting a subscription", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT INTO zkv_push_subscription (id, approver, endpoint, p256dh, auth, label, failure, "
           "created_at, told_at) VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9)",
        use(row.id), use(row.approver), use(row.endpoint), use(row.p256dh), use(row.auth), use(row.label),
        use(row.failure), use(row.created_at), use(row.told_at);
  });
}

Result<> PushTable::update(const Subscription& subscription) {
  const auto row = row_of_subscription(subscription);
  return one_row(database_.run("updating a subscription", [&](soci::session& sql) {
    using soci::use;
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_push_subscription SET p256dh = :1, auth = :2, label = :3, failure = :4, "
                        "told_at = :5 WHERE id = :6",
         use(row.p256dh), use(row.auth), use(row.label), use(row.failure), use(row.told_at), use(row.id));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
}

Result<> PushTable::remove(const SubscriptionId& id) {
  return one_row(database_.run("ending a subscription", [&](soci::session& sql) {
    const auto text = to_hex(id);
    soci::statement statement =
        (sql.prepare << "DELETE FROM zkv_push_subscription WHERE id = :1", soci::use(text));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
}

Result<> PushTable::remove_all_of(const ApproverId& approver) {
  return database_.run("ending subscriptions", [&](soci::session& sql) {
    const auto text = to_hex(approver);
    sql << "DELETE FROM zkv_push_subscription WHERE approver = :1", soci::use(text);
  });
}

Result<std::optional<Subscription>> PushTable::find(const SubscriptionId& id) {
  ZKV_TRY(auto found, select("WHERE id = :1", to_hex(id)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Subscription>> PushTable::subscriptions_of(const ApproverId& approver) {
  return select("WHERE approver = :1 ORDER BY created_at, rowid", to_hex(approver));
}

Result<std::vector<Subscription>> PushTable::all_subscriptions() {
  return select("ORDER BY created_at, rowid", std::nullopt);
}

Result<std::vector<Subscription>> PushTable::select(const std::string& rest,
                                                    const std::optional<std::string>& parameter) {
  std::vector<SubscriptionRow> rows;
  ZKV_CHECK(database_.run("reading subscriptions", [&](soci::session& sql) {
    using soci::into;
    SubscriptionRow row;
    soci::statement statement(sql);
    for (auto* text :
         {&row.id, &row.approver, &row.endpoint, &row.p256dh, &row.auth, &row.label, &row.failure}) {
      statement.exchange(into(*text));
    }
    for (auto* time : {&row.created_at, &row.told_at}) statement.exchange(into(*time));
    if (parameter) statement.exchange(soci::use(*parameter));
    statement.alloc();
    statement.prepare(
        "SELECT id, approver, endpoint, p256dh, auth, label, failure, created_at, told_at FROM "
        "zkv_push_subscription " +
        rest);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  std::vector<Subscription> subscriptions;
  for (const auto& row : rows) {
    ZKV_TRY(auto subscription, subscription_from(row));
    subscriptions.push_back(std::move(subscription));
  }
  return subscriptions;
}

}  // namespace zkv::gateway
