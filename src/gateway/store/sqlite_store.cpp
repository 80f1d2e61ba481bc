// The store over one SQLite file: requests and the audit log by their tables, the small tables right here.
#include <fmt/format.h>

#include "gateway/store/audit_table.h"
#include "gateway/store/database.h"
#include "gateway/store/host_table.h"
#include "gateway/store/people_table.h"
#include "gateway/store/push_table.h"
#include "gateway/store/request_table.h"
#include "gateway/store/store.h"
#include "gateway/store/totp_table.h"

namespace zkv::gateway {
namespace {

class SqliteStore : public Store {
 public:
  SqliteStore(std::unique_ptr<Database> database, const RowSeal& seal, const SecretBytes* key)
      : database_(std::move(database)),
        requests_(*database_, seal),
        audit_(*database_),
        hosts_(*database_, requests_, seal),
        people_(*database_, seal),
        push_(*database_),
        totps_(*database_, seal, key) {}

  Result<> adopt() {
    return transaction([&]() -> Result<> {
      ZKV_CHECK(requests_.adopt());
      ZKV_CHECK(hosts_.adopt());
      ZKV_CHECK(totps_.adopt());
      return people_.adopt();
    });
  }

  Result<> transaction(const std::function<Result<>()>& work) override {
    return database_->transaction(work);
  }

  HostStore& hosts() override { return hosts_; }
  PeopleStore& people() override { return people_; }
  PushStore& push() override { return push_; }
  TotpStore& totps() override { return totps_; }

  Result<> insert(const Request& request) override { return requests_.insert(request); }
  Result<> update(const Request& next, State from) override { return requests_.update(next, from); }

  Result<Request> find(const RequestId& id) override {
    ZKV_TRY(auto found, requests_.select("WHERE id = :id", id.text));
    if (found.empty()) return no_request(id);
    return std::move(found.front());
  }

  Result<std::optional<Request>> find_by_token(const Bytes& token_hash) override {
    return requests_.first_sound("WHERE token_hash = :hash ORDER BY created_at DESC, rowid DESC",
                                 to_hex(token_hash));
  }

  Result<RequestList> open_requests() override {
    return requests_.list("WHERE state IN ('pending', 'approved') ORDER BY created_at, rowid", std::nullopt);
  }

  Result<RequestList> first_open(std::size_t limit) override {
    return requests_.list(
        fmt::format("WHERE state IN ('pending', 'approved') ORDER BY host = '', created_at, rowid LIMIT {}",
                    limit),
        std::nullopt);
  }

  Result<RequestList> recent(std::size_t limit, const std::optional<RequestId>& before) override {
    const auto order = fmt::format("ORDER BY created_at DESC, rowid DESC LIMIT {}", limit);
    if (!before) return requests_.list(order, std::nullopt);
    return requests_.list(
        "WHERE (created_at, rowid) < (SELECT created_at, rowid FROM zkv_request WHERE id = :id) " + order,
        before->text);
  }

  Result<RequestList> with_pin_since(Time since) override {
    return requests_.list("WHERE created_at >= CAST(:since AS INTEGER) AND pin_mac <> '' ORDER BY created_at",
                          std::to_string(milliseconds_of(since)));
  }

  Result<RequestList> decided() override {
    return requests_.list(
        "WHERE state IN ('approved', 'released', 'acknowledged', 'denied') ORDER BY created_at",
        std::nullopt);
  }

  Result<> discard(const RequestId& id) override { return requests_.discard(id); }

  Result<> forget_before(Time before) override {
    const auto limit = milliseconds_of(before);
    return transaction([&]() -> Result<> {
      ZKV_CHECK(requests_.forget_before(before));
      return database_->run("deleting old messages", [&](soci::session& sql) {
        sql << "DELETE FROM zkv_message WHERE at < :before", soci::use(limit);
        sql << "DELETE FROM zkv_wrong_pin WHERE at < :before", soci::use(limit);
        sql << "DELETE FROM zkv_session WHERE expires_at < :before", soci::use(limit);
      });
    });
  }

  /// SQLite writes no page whose content stays the same, but each one that a row came to and went from.
  Result<> prove_writable() override {
    return transaction([&]() -> Result<> {
      ZKV_CHECK(database_->execute("INSERT INTO zkv_wrong_pin (at) VALUES (0)"));
      return database_->execute("DELETE FROM zkv_wrong_pin WHERE at = 0");
    });
  }

  Result<> append(const audit::Event& event) override {
    if (database_->in_transaction()) return audit_.append(event);
    return transaction([&] { return audit_.append(event); });
  }

  Result<std::optional<audit::Row>> audit_head() override { return audit_.head(); }
  Result<std::vector<audit::Row>> audit_rows(std::uint64_t first, std::size_t limit) override {
    return audit_.rows(first, limit);
  }
  Result<std::map<std::string, std::string>> logged_asks() override { return audit_.logged_asks(); }

  Result<unsigned> wrong_pins_since(Time since) override {
    return database_->run("counting wrong PINs", [&](soci::session& sql) {
      const auto from = milliseconds_of(since);
      int count = 0;
      sql << "SELECT COUNT(*) FROM zkv_wrong_pin WHERE at >= :since", soci::use(from), soci::into(count);
      return static_cast<unsigned>(count);
    });
  }

  Result<> add_wrong_pin(Time at) override {
    return database_->run("counting a wrong PIN", [&](soci::session& sql) {
      const auto when = milliseconds_of(at);
      sql << "INSERT INTO zkv_wrong_pin (at) VALUES (:at)", soci::use(when);
    });
  }

  Result<std::optional<std::string>> message_outcome(const std::string& message) override {
    return database_->run("looking up a message", [&](soci::session& sql) {
      std::string outcome;
      sql << "SELECT outcome FROM zkv_message WHERE message = :message", soci::use(message),
          soci::into(outcome);
      return sql.got_data() ? std::optional(outcome) : std::nullopt;
    });
  }

  Result<> remember_message(const std::string& message, const std::string& outcome, Time at) override {
    return database_->run("remembering a message", [&](soci::session& sql) {
      const auto when = milliseconds_of(at);
      sql << "INSERT INTO zkv_message (message, outcome, at) VALUES (:message, :outcome, :at)",
          soci::use(message), soci::use(outcome), soci::use(when);
    });
  }

 private:
  std::unique_ptr<Database> database_;
  RequestTable requests_;
  AuditTable audit_;
  HostTable hosts_;
  PeopleTable people_;
  PushTable push_;
  TotpTable totps_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& path, StoreOptions options) {
  ZKV_TRY(auto database, Database::open(path, options, true));
  auto store =
      std::make_unique<SqliteStore>(std::move(database), RowSeal(options.seal_key), options.seal_key.get());
  if (options.adopts) ZKV_CHECK(store->adopt());
  return store;
}

}  // namespace zkv::gateway
