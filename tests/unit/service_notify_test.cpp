// What the service manager is told, by a socket that stands in for it.
#include "host/service_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

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
  }
  ~Notices() override {
    ::unsetenv("NOTIFY_SOCKET");
    fs::remove_all(folder_);
  }
  std::string next() {
    std::array<char, 4096> buffer{};
    const auto size = ::recv(manager_.get(), buffer.data(), buffer.size(), 0);
    return size < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

  fs::path folder_;
  FileDescriptor manager_;
};

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
  std::array<char, 16> buffer{};
  EXPECT_EQ(::recv(manager_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT), -1);
}

}  // namespace
}  // namespace zkv::host
