// What the service manager is told, by a socket that stands in for it.
#include "host/service_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "base/file.h"

namespace zkv::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

class Notices : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "zkv-notify-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    const std::string path = folder_ / "socket";
    manager_ = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    ASSERT_EQ(::bind(manager_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    reader_ = std::jthread([this] { read_all(); });
  }
  ~Notices() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::shutdown(manager_.get(), SHUT_RD);
    fs::remove_all(folder_);
  }
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, 60s, [this] { return !notices_.empty(); })) return "nothing";
    auto notice = std::move(notices_.front());
    notices_.pop_front();
    return notice;
  }

  /// All that came and was not taken; nothing comes after it.
  std::deque<std::string> rest() {
    ::shutdown(manager_.get(), SHUT_RD);
    reader_.join();
    return std::exchange(notices_, {});
  }

  fs::path folder_;

 private:
  /// A manager always reads: whoever notifies one that does not is held up once a few notices wait.
  void read_all() {
    std::array<char, 4096> buffer{};
    for (ssize_t size = 0; (size = ::recv(manager_.get(), buffer.data(), buffer.size(), 0)) > 0;) {
      const std::lock_guard lock(mutex_);
      notices_.emplace_back(buffer.data(), static_cast<std::size_t>(size));
      came_.notify_all();
    }
  }

  FileDescriptor manager_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::string> notices_;
  std::jthread reader_;
};

TEST_F(Notices, MoreTimeIsAskedForInMicroseconds) {
  notify_longer(2min);
  EXPECT_EQ(next(), "EXTEND_TIMEOUT_USEC=120000000");
}

TEST_F(Notices, AStatusSaysHowLongItHasHeld) {
  StatusClock clock(1ms);
  clock.say("waiting");
  EXPECT_EQ(next(), "STATUS=waiting");
  EXPECT_EQ(next(), "STATUS=waiting, 1 min");
  EXPECT_EQ(next(), "STATUS=waiting, 2 min");
}

TEST_F(Notices, ANewStatusStartsAnew) {
  StatusClock clock(1ms);
  clock.say("waiting");
  EXPECT_EQ(next(), "STATUS=waiting");
  EXPECT_EQ(next(), "STATUS=waiting, 1 min");
  clock.say("still waiting");
  auto notice = next();
  while (notice.starts_with("STATUS=waiting, ")) notice = next();
  EXPECT_EQ(notice, "STATUS=still waiting");
  EXPECT_EQ(next(), "STATUS=still waiting, 1 min");
}

TEST_F(Notices, ALineFromElsewhereSaysNothingButTheStatus) {
  const std::string hostile = "waiting for x\nREADY=1\nMAINPID=4242\x1b[2J";
  notify_status(hostile);
  EXPECT_EQ(next(), "STATUS=waiting for x?READY=1?MAINPID=4242?[2J");
  StatusClock clock(1ms);
  clock.say(hostile);
  EXPECT_EQ(next(), "STATUS=waiting for x?READY=1?MAINPID=4242?[2J");
  EXPECT_EQ(next(), "STATUS=waiting for x?READY=1?MAINPID=4242?[2J, 1 min");
}

TEST_F(Notices, ReadinessIsSaidOnce) {
  notify_ready();
  EXPECT_EQ(next(), "READY=1");
}

TEST_F(Notices, WithoutAManagerNothingIsSaid) {
  ::unsetenv("NOTIFY_SOCKET");
  StatusClock clock(1ms);
  clock.say("waiting");
  notify_ready();
  notify_status("waiting");
  EXPECT_TRUE(rest().empty());
}

}  // namespace
}  // namespace zkv::host
