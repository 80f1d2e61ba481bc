// A gateway service on a real database, with a vault and channels that do as a test tells them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/service/service.h"

namespace zkv::gateway::testing_world {

namespace asio = boost::asio;

inline constexpr std::chrono::seconds kPatience{60};  ///< how long a test waits for what must come

/// A vault that gives what was deposited, else "the share", or fails, or holds on until it is told.
class FakeVault : public Vault {
 public:
  struct Orders {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_held = false;
    bool fails = false;
    int calls = 0;
    std::map<std::string, std::string> deposited = {};
  };
  explicit FakeVault(std::shared_ptr<Orders> orders) : orders_(std::move(orders)) {}

  std::string description() const override { return "fake vault"; }

  Result<SecretBytes> recover(const std::string& name, const std::stop_token& stop) override {
    const std::stop_callback wake(stop, [this] {
      const std::lock_guard lock(orders_->mutex);
      orders_->changed.notify_all();
    });
    std::unique_lock lock(orders_->mutex);
    ++orders_->calls;
    orders_->changed.notify_all();
    orders_->changed.wait(lock, [&] { return !orders_->is_held || stop.stop_requested(); });
    if (stop.stop_requested()) return Error::interrupted("the vault was interrupted");
    if (orders_->fails) return Error::unavailable("the vault is down");
    const auto found = orders_->deposited.find(name);
    return SecretBytes::copy_of(found == orders_->deposited.end() ? "the share of " + name : found->second);
  }

  Result<> deposit(const std::string& name, const SecretBytes& value, const std::stop_token&) override {
    const std::lock_guard lock(orders_->mutex);
    if (orders_->fails) return Error::unavailable("the vault is down");
    orders_->deposited[name] = std::string(value.view());
    return {};
  }

  Result<> destroy(const std::string& name, const std::stop_token&) override {
    const std::lock_guard lock(orders_->mutex);
    if (orders_->fails) return Error::unavailable("the vault is down");
    orders_->deposited.erase(name);
    return {};
  }

 private:
  std::shared_ptr<Orders> orders_;
};

struct Told {
  std::string request;
  std::string pin;
};

/// What a channel was told, for a test to wait on.
class Inbox {
 public:
  void put(Told told) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(told));
    changed_.notify_all();
  }
  Told next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return !told_.empty(); })) {
      ADD_FAILURE() << "no notice came";
      return {};
    }
    Told told = std::move(told_.front());
    told_.pop_front();
    return told;
  }
  bool is_empty() {
    const std::lock_guard lock(mutex_);
    return told_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Told> told_;
};

class FakeChannel : public Channel {
 public:
  enum class Kind { kSms, kPush, kConsole };
  FakeChannel(std::shared_ptr<Inbox> inbox, Kind kind, std::shared_ptr<std::atomic<bool>> fails)
      : inbox_(std::move(inbox)), kind_(kind), fails_(std::move(fails)) {}
  std::string description() const override { return kind_ == Kind::kSms ? "fake sms" : "fake console"; }
  bool wants_pin() const override { return kind_ == Kind::kSms; }
  bool is_console() const override { return kind_ == Kind::kConsole; }
  Result<> notify(const Notice& notice, const std::stop_token& /*stop*/) override {
    inbox_->put({notice.request.text, std::string(notice.pin.view())});
    if (*fails_) return Error::unavailable("no signal");
    return {};
  }

 private:
  std::shared_ptr<Inbox> inbox_;
  Kind kind_;
  std::shared_ptr<std::atomic<bool>> fails_;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    std::string name = (std::filesystem::temp_directory_path() / "zkv-service-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "gateway.db";
    identity_ = std::make_shared<const Identity>(Identity::load_or_make(folder_ / "identity.key").value());
    options_.max_wait = std::chrono::seconds(3'600);
    options_.notices_an_hour = 1'000;  // the clients of most tests have one address
  }

  /// Whatever a test did: the audit log holds, and nothing was released twice.
  ~ServiceTest() override {
    service_.reset();
    clients_.join();
    expect_sound_audit();
    std::filesystem::remove_all(folder_);
  }

  void start() { ASSERT_TRUE(try_start()); }
  Result<> try_start() {
    service_.reset();
    ZKV_TRY(auto store, Store::open(path_));
    std::vector<std::unique_ptr<Channel>> channels;
    using Kind = FakeChannel::Kind;
    if (has_sms_) channels.push_back(std::make_unique<FakeChannel>(sms_, Kind::kSms, sms_fails_));
    if (has_push_) channels.push_back(std::make_unique<FakeChannel>(push_, Kind::kPush, sms_fails_));
    channels.push_back(std::make_unique<FakeChannel>(console_, Kind::kConsole, sms_fails_));
    ZKV_TRY(service_, Service::start(std::move(store), std::make_unique<FakeVault>(vault_),
                                     std::move(channels), fresh_options()));
    return {};
  }

  ServiceOptions fresh_options() {
    ServiceOptions options;
    options.secret = "nas";
    options.pin_key = SecretBytes::copy_of("0123456789abcdef0123456789abcdef");
    options.identity = identity_;
    options.host_wait = options_.host_wait;
    options.max_wait = options_.max_wait;
    options.pin_length = options_.pin_length;
    options.policy = options_.policy;
    options.wrong_pins_an_hour = options_.wrong_pins_an_hour;
    options.notices_an_hour = options_.notices_an_hour;
    options.pending_limit = options_.pending_limit;
    options.asks_limit = options_.asks_limit;
    options.asks_of_network_limit = options_.asks_of_network_limit;
    options.challenge_life = options_.challenge_life;
    options.session_life = options_.session_life;
    options.on_vault_failure = [this](const Error& error) {
      EXPECT_EQ(error.message(), "the vault is down");
      ++vault_failures_;
    };
    options.on_damaged_request = [this](const Error& error) { damaged_.push_back(error.message()); };
    options.on_notice_withheld = [this](const Error&) { ++notices_withheld_; };
    options.on_store_failure = [this](const Error&) {
      ++store_failures_;
      store_failures_.notify_all();
    };
    return options;
  }

  std::future<Answer> ask(std::optional<std::string> token = std::nullopt) {
    return ask_from("192.0.2.7", std::move(token));
  }
  std::future<Answer> ask_from(std::string address, std::optional<std::string> token = std::nullopt) {
    return asio::co_spawn(clients_, service_->wait_for_release({std::move(address), std::move(token)}),
                          asio::use_future);
  }
  /// A client that can be cut off by `cut`.
  std::future<Answer> ask(asio::cancellation_signal& cut, std::optional<std::string> token = std::nullopt) {
    return asio::co_spawn(clients_, service_->wait_for_release({"192.0.2.7", std::move(token)}),
                          asio::bind_cancellation_slot(cut.slot(), asio::use_future));
  }
  void emit(asio::cancellation_signal& cut) {
    asio::post(clients_, [&cut] { cut.emit(asio::cancellation_type::terminal); });
  }

  template <class T>
  T await(std::future<T> future) {
    if (future.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << "no answer came";
      std::abort();
    }
    return future.get();
  }
  template <class T>
  T await(asio::awaitable<T> awaitable) {
    return await(asio::co_spawn(clients_, std::move(awaitable), asio::use_future));
  }

  Result<Request> approve(const std::string& id) { return await(service_->approve({id}, "console:uid 0")); }
  Result<Request> deny(const std::string& id) { return await(service_->deny({id}, "console:uid 0", "no")); }
  PinOutcome pin(const std::string& digits, const std::string& message = "") {
    return await(service_->receive_pin(digits, message, "sms:+15550100")).value();
  }
  Request request(const std::string& id) { return await(service_->request({id})).value().request; }

  void by_hand(const std::string& statement) {
    soci::session sql(soci::sqlite3, "dbname=" + path_.string());
    sql << "PRAGMA busy_timeout = 60000";
    sql << statement;
  }
  int count(const std::string& query) {
    soci::session sql(soci::sqlite3, "dbname=" + path_.string());
    sql << "PRAGMA busy_timeout = 60000";
    int rows = 0;
    sql << query, soci::into(rows);
    return rows;
  }
  int rows_of(const std::string& kind) {
    return count("SELECT COUNT(*) FROM zkv_audit WHERE kind = '" + kind + "'");
  }
  /// From now on no audit row of `kind` can be written.
  void break_audit(const std::string& kind) {
    by_hand("CREATE TRIGGER broken BEFORE INSERT ON zkv_audit WHEN NEW.kind = '" + kind +
            "' BEGIN SELECT RAISE(ABORT, 'no log today'); END");
  }
  void mend_audit() { by_hand("DROP TRIGGER broken"); }

  /// A PIN that no pending request has.
  static std::string other_than(const std::string& pin) {
    return (pin[0] == '9' ? "1" : "9") + pin.substr(1);
  }

  void vault_fails(bool fails) {
    const std::lock_guard lock(vault_->mutex);
    vault_->fails = fails;
  }
  void hold_vault(bool is_held) {
    const std::lock_guard lock(vault_->mutex);
    vault_->is_held = is_held;
    vault_->changed.notify_all();
  }
  int vault_calls() {
    const std::lock_guard lock(vault_->mutex);
    return vault_->calls;
  }
  void wait_for_vault_call() {
    std::unique_lock lock(vault_->mutex);
    EXPECT_TRUE(vault_->changed.wait_for(lock, kPatience, [&] { return vault_->calls > 0; }));
  }

  void expect_sound_audit() {
    auto store = Store::open(path_);
    if (!store) return;
    crypto::Sha256 previous{};
    std::uint64_t number = 1;
    const auto rows = (*store)->audit_rows(1, 1'000'000);
    for (const auto& row : rows.value()) {
      const auto sound = audit::verify(row, number++, previous);
      EXPECT_TRUE(sound) << sound.error().message();
      previous = row.hash;
    }
    EXPECT_EQ(
        count("SELECT COUNT(*) - COUNT(DISTINCT request) FROM zkv_audit WHERE kind = 'request.release'"), 0)
        << "a request was released twice";
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
  ServiceOptions options_;
  std::shared_ptr<const Identity> identity_;
  std::shared_ptr<FakeVault::Orders> vault_ = std::make_shared<FakeVault::Orders>();
  std::shared_ptr<Inbox> sms_ = std::make_shared<Inbox>();
  std::shared_ptr<Inbox> push_ = std::make_shared<Inbox>();
  bool has_sms_ = true;
  bool has_push_ = false;
  std::shared_ptr<Inbox> console_ = std::make_shared<Inbox>();
  std::shared_ptr<std::atomic<bool>> sms_fails_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<int> store_failures_{0};
  std::atomic<int> notices_withheld_{0};
  std::vector<std::string> damaged_;  ///< what was told at the start
  std::atomic<int> vault_failures_{0};
  asio::thread_pool clients_{1};
  std::unique_ptr<Service> service_;
};

}  // namespace zkv::gateway::testing_world
