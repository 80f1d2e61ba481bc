// Mounts by systemd's units, against a manager that answers as a test wants.
#include "unlock/mount_unit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fake_manager.h"
#include "unlock/service_manager.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::Answers;
using test::FakeManager;
using testing::HasSubstr;

class MountUnits : public test::ManagedMounts {
 protected:
  [[nodiscard]] Result<UnitStart> start(const std::stop_token& stop = {}) const {
    return start_mount_unit("/srv/data", manager(), stop);
  }
  void expect_left_alone(Answers answers) const {
    const FakeManager fake(manager().socket, std::move(answers));
    const auto done = start();
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(*done, UnitStart::kNone);
    EXPECT_FALSE(fake.has_started());
    fs::remove(manager().socket);
  }
};

TEST_F(MountUnits, AreNamedByTheirPath) {
  EXPECT_EQ(unit_name_of("/"), "-");
  EXPECT_EQ(unit_name_of("/srv/my data"), R"(srv-my\x20data)");
  EXPECT_EQ(unit_name_of("/.hidden/a.b-c"), R"(\x2ehidden-a.b\x2dc)");
  EXPECT_EQ(unit_name_of("/ü:_"), R"(\xc3\xbc:_)");
}

TEST_F(MountUnits, AreStartedAndWaitedFor) {
  const FakeManager fake(manager().socket, of_fstab());
  const auto done = start();
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(*done, UnitStart::kDone);
  EXPECT_EQ(fake.unit(), "srv-data.mount");
}

TEST_F(MountUnits, WithoutAManagerThereAreNone) {
  const auto done = start();
  ASSERT_TRUE(done);
  EXPECT_EQ(*done, UnitStart::kNone);
}

TEST_F(MountUnits, OfAnOlderFstabOrOfNoneAreLeftAlone) {
  auto answers = of_fstab();
  answers.is_outdated = true;
  expect_left_alone(answers);
  expect_left_alone({.source = ""});
  answers = of_fstab();
  answers.is_gone = true;
  expect_left_alone(answers);
}

TEST_F(MountUnits, ThatWaitForUsAreNotWaitedFor) {
  for (const auto* ours : {"zfs-keyvault.service", "zfs-keyvault.target"}) {
    auto answers = of_fstab();
    answers.after.emplace_back(ours);
    answers.end = "";
    expect_left_alone(answers);
  }
}

TEST_F(MountUnits, ThatFailSayWhereToLook) {
  for (const auto& [word, told] :
       {std::pair{"failed", "'failed'"}, std::pair{"dependency", "the check of the"}}) {
    auto answers = of_fstab();
    answers.end = word;
    const FakeManager fake(manager().socket, answers);
    const auto done = start();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), ErrorKind::kIo);
    EXPECT_THAT(done.error().message(), HasSubstr(told));
    EXPECT_THAT(done.error().message(), HasSubstr("systemctl status 'srv-data.mount'"));
    fs::remove(manager().socket);
  }
}

TEST_F(MountUnits, ThatTakeTooLongAreLeftToSystemd) {
  auto answers = of_fstab();
  answers.end = "";
  const FakeManager fake(manager().socket, answers);
  auto hurried = manager();
  hurried.limit = std::chrono::milliseconds(50);
  const auto done = start_mount_unit("/srv/data", hurried, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(done.error().message(), HasSubstr("still at it"));
}

TEST_F(MountUnits, ACheckThatRunsTakesAsLongAsItTakes) {
  auto answers = of_fstab();
  answers.after.emplace_back("systemd-fsck@dev-x.service");
  answers.end = "";
  answers.states = {"activating", "activating", "activating"};
  auto hurried = manager();
  hurried.limit = hurried.looks = std::chrono::milliseconds(20);
  int told = 0;
  hurried.on_check = [&](std::chrono::milliseconds) { ++told; };
  {
    const FakeManager fake(manager().socket, answers);
    const auto done = start_mount_unit("/srv/data", hurried, {});
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(*done, UnitStart::kDone);
    EXPECT_EQ(told, 3);
  }
  fs::remove(manager().socket);
  {
    const FakeManager fake(manager().socket, answers);
    EXPECT_TRUE(start_check("/dev/x", hurried, {}));
  }
  fs::remove(manager().socket);
  answers.states = {"activating", "inactive"};
  const FakeManager fake(manager().socket, answers);
  const auto done = start_mount_unit("/srv/data", hurried, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::kUnavailable);
}

TEST_F(MountUnits, AUnitIsBegunAnewOnlyInTheStatesThatAreNamed) {
  auto answers = of_fstab();
  answers.states = {"active", "failed"};
  answers.end = "";  // nobody waits for it
  const FakeManager fake(manager().socket, answers);
  ASSERT_TRUE(restart_if("some.service", {"failed", "activating"}, manager().socket));
  EXPECT_FALSE(fake.has_started());
  ASSERT_TRUE(restart_if("some.service", {"failed", "activating"}, manager().socket));
  EXPECT_TRUE(fake.has_started());
}

TEST_F(MountUnits, AStopEndsTheWait) {
  std::stop_source stop;
  auto answers = of_fstab();
  answers.end = "";
  answers.starts = [&] { stop.request_stop(); };
  const FakeManager fake(manager().socket, answers);
  const auto done = start(stop.get_token());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace zkv::unlock
