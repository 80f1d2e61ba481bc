// The kernel's own keyring, under names of this test's own.
#include "host/handover.h"

#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

namespace zkv::host {
namespace {

class HandoverTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0) < 0 && errno == ENOSYS)
      GTEST_SKIP() << "this kernel has no keyrings";
  }
  void TearDown() override { static_cast<void>(take_handover(name_)); }

  std::string name_ = "zkv-test:" + std::to_string(::getpid());
};

TEST_F(HandoverTest, WhatIsLeftIsTakenOnce) {
  repository::GatewayId gateway{};
  gateway[0] = 7;
  ASSERT_TRUE(leave_handover({SecretBytes::copy_of("both shares"), gateway}, name_));
  const auto taken = take_handover(name_);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->secret.view(), "both shares");
  EXPECT_EQ(taken->gateway, gateway);
  EXPECT_FALSE(take_handover(name_));
}

TEST_F(HandoverTest, AKeyThatIsNoSharesComesBackAsSuch) {
  ASSERT_TRUE(leave_handover({SecretBytes::copy_of("text"), std::nullopt}, name_));
  const auto taken = take_handover(name_);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->secret.view(), "text");
  EXPECT_FALSE(taken->gateway);
}

TEST_F(HandoverTest, TheNewerReplacesTheOlder) {
  ASSERT_TRUE(leave_handover({SecretBytes::copy_of("older"), std::nullopt}, name_));
  ASSERT_TRUE(leave_handover({SecretBytes::copy_of("newer"), std::nullopt}, name_));
  const auto taken = take_handover(name_);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->secret.view(), "newer");
}

TEST_F(HandoverTest, NothingLeftIsNothing) { EXPECT_FALSE(take_handover(name_)); }

TEST_F(HandoverTest, WhatIsNoHandoverIsForgotten) {
  ASSERT_GE(::syscall(SYS_add_key, "user", name_.c_str(), "short", 5, KEY_SPEC_USER_KEYRING), 0);
  EXPECT_FALSE(take_handover(name_));
  EXPECT_LT(::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", name_.c_str(), 0), 0);
}

// As in a unit of systemd, whose session is its own; what a parent possesses is not its child's.
TEST_F(HandoverTest, ASessionThatDoesNotLeadToTheUsersKeyringLeavesItToo) {
  const pid_t unit = ::fork();
  if (unit == 0) {
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0) ::_exit(3);
    ::_exit(leave_handover({SecretBytes::copy_of("both shares"), std::nullopt}, name_) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(unit, &status, 0), unit);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const auto taken = take_handover(name_);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->secret.view(), "both shares");
}

TEST_F(HandoverTest, WhatIsOnlyHeldEndsWithItsProcess) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto held = HeldHandover::hold({SecretBytes::copy_of("both shares"), std::nullopt}, name_);
    static_cast<void>(::write(ready[1], held ? "y" : "n", 1));
    ::pause();
  }
  char word = 0;
  ASSERT_EQ(::read(ready[0], &word, 1), 1);
  ASSERT_EQ(word, 'y');
  EXPECT_FALSE(take_handover(name_)) << "while it is held";
  ::kill(holder, SIGKILL);
  ASSERT_EQ(::waitpid(holder, nullptr, 0), holder);
  EXPECT_FALSE(take_handover(name_)) << "after its process was killed";
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(HandoverTest, WhatIsHeldIsLeftOnceThatIsWanted) {
  {
    auto held = HeldHandover::hold({SecretBytes::copy_of("kept"), std::nullopt}, name_);
    ASSERT_TRUE(held);
    EXPECT_FALSE(take_handover(name_));
  }
  EXPECT_FALSE(take_handover(name_));
  auto held = HeldHandover::hold({SecretBytes::copy_of("left"), std::nullopt}, name_);
  ASSERT_TRUE(held);
  ASSERT_TRUE(held->leave());
  const auto taken = take_handover(name_);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->secret.view(), "left");
}

TEST_F(HandoverTest, AnotherUserCannotTakeIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  ASSERT_TRUE(leave_handover({SecretBytes::copy_of("both shares"), std::nullopt}, name_));
  const long key = ::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", name_.c_str(), 0);
  ASSERT_GE(key, 0);
  const pid_t thief = ::fork();
  if (thief == 0) {
    char bytes[64];
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(3);
    const bool can_read = ::syscall(SYS_keyctl, KEYCTL_READ, key, bytes, sizeof bytes) >= 0;
    const bool can_link = ::syscall(SYS_keyctl, KEYCTL_LINK, key, KEY_SPEC_USER_KEYRING) >= 0;
    const bool can_end = ::syscall(SYS_keyctl, KEYCTL_INVALIDATE, key) >= 0;
    ::_exit(can_read || can_link || can_end ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(thief, &status, 0), thief);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(take_handover(name_));
}

}  // namespace
}  // namespace zkv::host
