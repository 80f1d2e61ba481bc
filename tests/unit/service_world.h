// A gateway service on a real database, with a vault and channels that do as a test tells them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
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
    int calls = 0;  ///< of recover()
    int deposits = 0;
    std::map<std::string, std::string> deposited = {};
  };
  explicit FakeVault(std::shared_ptr<Orders> orders) : orders_(std::move(orders)) {}

  std::string description() const override { return "fake vault"; }

  Result<SecretBytes> recover(const std::string& name, const std::stop_token& stop) override {
    ZKV_CHECK(enter(orders_->calls, stop));
    const std::lock_guard lock(orders_->mutex);
    const auto found = orders_->deposited.find(name);
    return SecretBytes::copy_of(found == orders_->deposited.end() ? "the share of " + name : found->second);
  }

  Result<> deposit(const std::string& name, const SecretBytes& value, const std::stop_token& stop) override {
    ZKV_CHECK(enter(orders_->deposits, stop));
    const std::lock_guard lock(orders_->mutex);
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
  Result<> enter(int& count, const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] {
      const std::lock_guard lock(orders_->mutex);
      orders_->changed.notify_all();
    });
    std::unique_lock lock(orders_->mutex);
    ++count;
    orders_->changed.notify_all();
    orders_->changed.wait(lock, [&] { return !orders_->is_held || stop.stop_requested(); });
    if (stop.stop_requested()) return Error::interrupted("the vault was interrupted");
    if (orders_->fails) return Error::unavailable("the vault is down");
    return {};
  }

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

/// One whose provider answers nothing, where a test says so, holds its thread until it is stopped.
class FakeChannel : public Channel {
 public:
  enum class Kind { kSms, kPush, kConsole };
  FakeChannel(std::shared_ptr<Inbox> inbox, Kind kind, std::shared_ptr<std::atomic<bool>> fails, bool hangs)
      : inbox_(std::move(inbox)), kind_(kind), fails_(std::move(fails)), hangs_(hangs) {}
  std::string description() const override { return kind_ == Kind::kSms ? "fake sms" : "fake console"; }
  bool wants_pin() const override { return kind_ == Kind::kSms; }
  bool is_console() const override { return kind_ == Kind::kConsole; }
  Result<> notify(const Notice& notice, const std::stop_token& stop) override {
    inbox_->put({notice.request.text, std::string(notice.pin.view())});
    if (hangs_) wait_for(stop);
    if (*fails_) return Error::unavailable("no signal");
    return {};
  }

 private:
  static void wait_for(const std::stop_token& stop) {
    std::atomic<bool> stopped{false};
    const std::stop_callback wake(stop, [&stopped] {
      stopped = true;
      stopped.notify_all();
    });
    stopped.wait(false);
  }

  std::shared_ptr<Inbox> inbox_;
  Kind kind_;
  std::shared_ptr<std::atomic<bool>> fails_;
  bool hangs_;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest();
  /// Whatever a test did: the audit log holds, and nothing was released twice.
  ~ServiceTest() override;

  void start() { ASSERT_TRUE(try_start()); }
  Result<> try_start();
  ServiceOptions fresh_options();

  std::future<Answer> ask(std::optional<std::string> token = std::nullopt) {
    return ask_from("192.0.2.7", std::move(token));
  }
  std::future<Answer> ask_from(const std::string& address, std::optional<std::string> token = std::nullopt);
  /// A client that can be cut off by `cut`.
  std::future<Answer> ask(asio::cancellation_signal& cut, std::optional<std::string> token = std::nullopt);
  void emit(asio::cancellation_signal& cut);

  template <class T>
  T await(std::future<T> future) {
    if (future.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << "no answer came";
      std::abort();
    }
    return future.get();
  }
  template <class T>
  T await(asio::awaitable<T> work) {
    return await(spawn(std::move(work)));
  }
  /// It goes on among the clients.
  template <class T>
  std::future<T> spawn(asio::awaitable<T> work) {
    std::promise<T> promise;
    auto future = promise.get_future();
    run(keep(std::move(work), std::move(promise)));
    return future;
  }

  Result<Request> approve(const std::string& id);
  Result<Request> deny(const std::string& id);
  PinOutcome pin(const std::string& digits, const std::string& message = "");
  Request request(const std::string& id);

  void by_hand(const std::string& statement);
  int count(const std::string& query);
  std::string text(const std::string& query);
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

  void wait_for_deposit() {
    std::unique_lock lock(vault_->mutex);
    EXPECT_TRUE(vault_->changed.wait_for(lock, kPatience, [&] { return vault_->deposits > 0; }));
  }

  void expect_sound_audit();

  std::filesystem::path folder_;
  std::filesystem::path path_;
  ServiceOptions options_;
  std::shared_ptr<const Identity> identity_;
  std::shared_ptr<FakeVault::Orders> vault_ = std::make_shared<FakeVault::Orders>();
  std::shared_ptr<Inbox> sms_ = std::make_shared<Inbox>();
  std::shared_ptr<Inbox> push_ = std::make_shared<Inbox>();
  bool has_sms_ = true;
  bool sms_hangs_ = false;
  bool has_push_ = false;
  std::shared_ptr<Inbox> console_ = std::make_shared<Inbox>();
  std::shared_ptr<std::atomic<bool>> sms_fails_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<int> store_failures_{0};
  std::atomic<int> notices_withheld_{0};
  std::vector<std::string> damaged_;  ///< what was told at the start
  std::atomic<int> vault_failures_{0};
  asio::thread_pool clients_{1};
  std::unique_ptr<Service> service_;

 private:
  /// One instance of what starts a coroutine: each is more code than all of a test.
  void run(asio::awaitable<void> work);

  template <class T>
  static asio::awaitable<void> keep(asio::awaitable<T> work, std::promise<T> promise) {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(work);
        promise.set_value();
      } else {
        promise.set_value(co_await std::move(work));
      }
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }
};

}  // namespace zkv::gateway::testing_world
