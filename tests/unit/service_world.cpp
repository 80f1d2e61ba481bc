// What starts coroutines and speaks SQL is compiled once, and not in each test.
#include "service_world.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

namespace zkv::gateway::testing_world {

namespace {

std::unique_ptr<soci::session> session_with(const std::filesystem::path& path) {
  auto sql = std::make_unique<soci::session>(soci::sqlite3, "dbname=" + path.string());
  *sql << "PRAGMA busy_timeout = 60000";
  return sql;
}

}  // namespace

ServiceTest::ServiceTest() {
  std::string name = (std::filesystem::temp_directory_path() / "zkv-service-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  path_ = folder_ / "gateway.db";
  identity_ = std::make_shared<const Identity>(Identity::load_or_make(folder_ / "identity.key").value());
  options_.max_wait = std::chrono::seconds(3'600);
  options_.notices_an_hour = 1'000;  // the clients of most tests have one address
}

ServiceTest::~ServiceTest() {
  service_.reset();
  clients_.join();
  expect_sound_audit();
  std::filesystem::remove_all(folder_);
}

Result<> ServiceTest::try_start() {
  service_.reset();
  ZKV_TRY(auto store, Store::open(path_));
  std::vector<std::unique_ptr<Channel>> channels;
  using Kind = FakeChannel::Kind;
  if (has_sms_) channels.push_back(std::make_unique<FakeChannel>(sms_, Kind::kSms, sms_fails_, sms_hangs_));
  if (has_push_) channels.push_back(std::make_unique<FakeChannel>(push_, Kind::kPush, sms_fails_, false));
  channels.push_back(std::make_unique<FakeChannel>(console_, Kind::kConsole, sms_fails_, false));
  ZKV_TRY(service_, Service::start(std::move(store), std::make_unique<FakeVault>(vault_), std::move(channels),
                                   fresh_options()));
  return {};
}

ServiceOptions ServiceTest::fresh_options() {
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

std::future<Answer> ServiceTest::ask_from(const std::string& address, std::optional<std::string> token) {
  return spawn(service_->wait_for_release({address, std::move(token)}));
}

std::future<Answer> ServiceTest::ask(asio::cancellation_signal& cut, std::optional<std::string> token) {
  return asio::co_spawn(clients_, service_->wait_for_release({"192.0.2.7", std::move(token)}),
                        asio::bind_cancellation_slot(cut.slot(), asio::use_future));
}

void ServiceTest::emit(asio::cancellation_signal& cut) {
  asio::post(clients_, [&cut] { cut.emit(asio::cancellation_type::terminal); });
}

void ServiceTest::run(asio::awaitable<void> work) {
  asio::co_spawn(clients_, std::move(work), asio::detached);
}

Result<Request> ServiceTest::approve(const std::string& id) {
  return await(service_->approve({id}, "console:uid 0"));
}

Result<Request> ServiceTest::deny(const std::string& id) {
  return await(service_->deny({id}, "console:uid 0", "no"));
}

PinOutcome ServiceTest::pin(const std::string& digits, const std::string& message) {
  return await(service_->receive_pin(digits, message, "sms:+15550100")).value();
}

Request ServiceTest::request(const std::string& id) { return await(service_->request({id})).value().request; }

void ServiceTest::by_hand(const std::string& statement) { *session_with(path_) << statement; }

int ServiceTest::count(const std::string& query) {
  int rows = 0;
  *session_with(path_) << query, soci::into(rows);
  return rows;
}

std::string ServiceTest::text(const std::string& query) {
  std::string found;
  *session_with(path_) << query, soci::into(found);
  return found;
}

void ServiceTest::expect_sound_audit() {
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
  EXPECT_EQ(count("SELECT COUNT(*) - COUNT(DISTINCT request) FROM zkv_audit WHERE kind = 'request.release'"),
            0)
      << "a request was released twice";
}

}  // namespace zkv::gateway::testing_world
