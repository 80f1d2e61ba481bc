// Loaders: how they are called, what their codes mean, and what is never called.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "test_certificate.h"
#include "unlock/command.h"
#include "unlock/guarded_path.h"
#include "unlock/loader.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::TemporaryDirectory;
using testing::HasSubstr;
using testing::Not;

/// A folder with loaders in it, each a few lines of shell.
class Loaders : public testing::Test {
 protected:
  Loaders() { options_.manager = directory_ / "no-manager"; }

  repository::VolumeSettings loader(const std::string& name, const std::string& body) {
    const fs::path path = directory_ / name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(path, fs::perms::owner_all);
    return {.device = "/the/device", .mountpoint = {}, .options = "a,b=c", .program = path};
  }
  /// One that ends with `code` when it is called by `verb`, and else says that it is not open.
  repository::VolumeSettings answering(const std::string& verb, int code, const std::string& words = {}) {
    return loader("answering",
                  "[ $1 = " + verb + " ] || exit 13\n" + words + "\nexit " + std::to_string(code));
  }

  Outcome opened(const repository::VolumeSettings& settings, Attempt attempt = Attempt::kOpen,
                 std::string_view key = "the key", std::stop_token stop = {}) {
    const Unlocker::Volume volume{"photos", repository::VolumeKind::kCommand, bytes_of(key), {}, settings};
    return make_command_unlocker(options_)->open(std::span(&volume, 1), attempt, stop).front();
  }
  Outcome closed(const repository::VolumeSettings& settings) {
    return make_command_unlocker(options_)->close({{"photos", settings}}, {}).front();
  }
  VolumeState state(const repository::VolumeSettings& settings) {
    return make_command_unlocker(options_)->inspect({{"photos", settings}})->front();
  }
  Result<> checked(const repository::VolumeSettings& settings, const std::string& name = "photos") {
    return make_command_unlocker(options_)->check({name, settings});
  }
  std::string content(const std::string& name) {
    const auto bytes = read_file(directory_ / name, 65'536);
    return bytes ? std::string(bytes->begin(), bytes->end()) : "nothing";
  }

  TemporaryDirectory directory_;
  CommandOptions options_;
};

TEST_F(Loaders, GetTheKeyOnStdinAndTheRestByTheEnvironmentAndNothingElse) {
  auto settings = loader(
      "l",
      "[ $1 = open ] || exit 13; cd \"${0%/*}\"; cat >key; echo \"$# $*\" >words; env | sort >environment");
  settings.mountpoint = "/mnt/a b";
  ::setenv("SECRET_OF_OURS", "x", 1);
  EXPECT_EQ(opened(settings).happened, Happened::kOpened);
  EXPECT_EQ(content("key"), "the key");
  EXPECT_EQ(content("words"), "1 open\n");
  EXPECT_THAT(
      content("environment"),
      HasSubstr("ZKV_DEVICE=/the/device\nZKV_MOUNT_POINT=/mnt/a b\nZKV_OPTIONS=a,b=c\nZKV_VOLUME=photos\n"));
  EXPECT_THAT(content("environment"), HasSubstr("LC_ALL=C\n"));
  EXPECT_THAT(content("environment"), Not(HasSubstr("SECRET_OF_OURS")));
  EXPECT_THAT(content("environment"), Not(HasSubstr("the key")));
}

TEST_F(Loaders, SayByTheirCodeWhatBecameOfOpening) {
  const std::vector<std::pair<int, Happened>> meanings{
      {0, Happened::kOpened},       {1, Happened::kFailed},       {10, Happened::kWrongKey},
      {11, Happened::kUnusableKey}, {12, Happened::kAlreadyOpen}, {13, Happened::kFailed},
      {14, Happened::kMissing},     {15, Happened::kNotAVolume},  {16, Happened::kFailed},
      {2, Happened::kFailed},       {127, Happened::kFailed}};
  for (const auto& [code, happened] : meanings) {
    const auto outcome = opened(answering("open", code));
    EXPECT_EQ(outcome.happened, happened) << code;
    EXPECT_EQ(outcome.detail.empty(), is_success(happened)) << code;
  }
}

TEST_F(Loaders, SayByTheirCodeWhatBecameOfATrialOfClosingAndHowItStands) {
  EXPECT_EQ(opened(answering("test", 0), Attempt::kTrial).happened, Happened::kKeyFits);
  EXPECT_EQ(opened(answering("test", 10), Attempt::kTrial).happened, Happened::kWrongKey);
  EXPECT_EQ(opened(answering("test", 16), Attempt::kTrial).happened, Happened::kUntried);
  EXPECT_EQ(opened(answering("test", 12), Attempt::kTrial).happened, Happened::kFailed);
  EXPECT_EQ(closed(answering("close", 0)).happened, Happened::kClosed);
  EXPECT_EQ(closed(answering("close", 13)).happened, Happened::kAlreadyClosed);
  EXPECT_EQ(closed(answering("close", 1)).happened, Happened::kFailed);
  EXPECT_TRUE(state(answering("status", 0)).is_open);
  EXPECT_FALSE(state(answering("status", 13)).is_open);
  EXPECT_EQ(state(answering("status", 14)).presence, Presence::kMissing);
  EXPECT_EQ(state(answering("status", 15)).presence, Presence::kNotAVolume);
  EXPECT_EQ(state(answering("status", 1)).presence, Presence::kUnknown);
}

TEST_F(Loaders, AreNotToldToOpenWhatIsOpen) {
  const auto settings = loader("l", "echo $1 >>\"${0%/*}/calls\"");
  EXPECT_EQ(opened(settings).happened, Happened::kAlreadyOpen);
  EXPECT_EQ(content("calls"), "status\n");
}

TEST_F(Loaders, ComplainInWordsThatAreHarmlessAndFew) {
  const auto outcome = opened(answering("open", 1, "printf 'no \\033[31mdisk\\nat all' >&2"));
  EXPECT_EQ(outcome.detail, "no ?[31mdisk; at all");
  EXPECT_LT(opened(answering("open", 1, "yes | head -c 300000 >&2")).detail.size(), 1300U);
  EXPECT_THAT(opened(answering("open", 1, "echo \"bad: $(cat)\" >&2")).detail, Not(HasSubstr("bad")));
  EXPECT_THAT(opened(answering("open", 7)).detail, HasSubstr("code 7"));
}

TEST_F(Loaders, MayLeaveADaemonThatHoldsTheirStreams) {
  const auto settings = answering("open", 0, "cd \"${0%/*}\"; setsid sleep 600 & echo $! >daemon");
  EXPECT_EQ(opened(settings).happened, Happened::kOpened);
  const pid_t daemon = std::stoi(content("daemon"));
  EXPECT_EQ(::kill(daemon, SIGKILL), 0);
}

TEST_F(Loaders, AreEndedWithAllTheirChildrenWhenTheirTimeIsUp) {
  options_.limit = 300ms;
  const auto outcome = opened(answering("open", 0, "cd \"${0%/*}\"; sleep 600 & echo $! >child; wait"));
  EXPECT_EQ(outcome.happened, Happened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("did not end in time"));
  const auto is_running = [child = std::stoi(content("child"))] {
    std::string stat;
    std::getline(std::ifstream("/proc/" + std::to_string(child) + "/stat"), stat);
    return !stat.empty() && stat.find(") Z ") == std::string::npos;
  };
  while (is_running()) std::this_thread::yield();
}

TEST_F(Loaders, RunSeveralAtOnce) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one core";
  ASSERT_EQ(::mkfifo((directory_ / "meeting").c_str(), 0600), 0);
  const auto first = loader("first", "[ $1 = open ] || exit 13; echo x >\"${0%/*}/meeting\"");
  const auto second = loader("second", "[ $1 = open ] || exit 13; read -r x <\"${0%/*}/meeting\"");
  options_.limit = 20s;
  const std::vector<Unlocker::Volume> volumes{
      {"a", repository::VolumeKind::kCommand, bytes_of("key"), {}, first},
      {"b", repository::VolumeKind::kCommand, bytes_of("key"), {}, second}};
  for (const auto& outcome : make_command_unlocker(options_)->open(volumes, Attempt::kOpen, {})) {
    EXPECT_EQ(outcome.happened, Happened::kOpened) << outcome.detail;
  }
}

TEST_F(Loaders, AreNotCalledAfterAStopOrWithAKeyTooLong) {
  const auto settings = loader("l", "touch \"${0%/*}/called\"");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(opened(settings, Attempt::kOpen, "key", stop.get_token()).happened, Happened::kInterrupted);
  EXPECT_EQ(opened(settings, Attempt::kOpen, std::string(4097, 'k')).happened, Happened::kUnusableKey);
  EXPECT_EQ(content("called"), "nothing");
}

TEST_F(Loaders, ThatOthersCouldReplaceAreNeverCalled) {
  const auto settings = loader("l", "touch \"${0%/*}/called\"");
  const auto refused = [&](std::string_view because) {
    EXPECT_THAT(checked(settings).error().message(), HasSubstr(because));
    EXPECT_EQ(opened(settings).happened, Happened::kFailed);
    EXPECT_EQ(opened(settings, Attempt::kTrial).happened, Happened::kFailed);
    EXPECT_EQ(closed(settings).happened, Happened::kFailed);
    EXPECT_EQ(state(settings).presence, Presence::kUnknown);
    EXPECT_EQ(content("called"), "nothing");
  };
  ASSERT_TRUE(checked(settings));
  for (const auto who : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(settings.program, who, fs::perm_options::add);
    refused("others than its owner can write");
    fs::permissions(settings.program, who, fs::perm_options::remove);
    fs::permissions(directory_ / "", who | fs::perms::sticky_bit, fs::perm_options::add);
    refused("others than its owner can write");
    fs::permissions(directory_ / "", who | fs::perms::sticky_bit, fs::perm_options::remove);
  }
  fs::rename(settings.program, directory_ / "elsewhere");
  refused("is not there");
  fs::create_symlink(directory_ / "elsewhere", settings.program);
  refused("symbolic link");
  fs::remove(settings.program);
  fs::create_directory(settings.program);
  refused("is no file");
}

TEST_F(Loaders, OfAnotherUserAreNeverCalled) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const auto settings = loader("l", "touch \"${0%/*}/called\"");
  ASSERT_EQ(::chown(settings.program.c_str(), 65'534, 0), 0);
  EXPECT_THAT(checked(settings).error().message(), HasSubstr("belongs to another user"));
  ASSERT_EQ(::chown(settings.program.c_str(), 0, 0), 0);
  ASSERT_TRUE(checked(settings));
  ASSERT_EQ(::chown((directory_ / "").c_str(), 65'534, 0), 0);
  EXPECT_EQ(opened(settings).happened, Happened::kFailed);
  EXPECT_EQ(content("called"), "nothing");
}

TEST_F(Loaders, NeedAProgramsWholePathAndANameThatAUnitCanHave) {
  auto settings = loader("l", "");
  EXPECT_TRUE(checked(settings, "photos-1.a_b"));
  for (const auto& name : {std::string("a/b"), std::string("a b"), std::string("a:b"), std::string(".a"),
                           std::string(128, 'a')}) {
    EXPECT_FALSE(checked(settings, name)) << name;
  }
  for (const auto* program : {"", "l", "bin/l", "/bin/../bin/sh", "/bin/", "//bin/sh"}) {
    settings.program = program;
    EXPECT_EQ(checked(settings).error().kind(), ErrorKind::kInvalid) << program;
  }
  settings = loader("l", "");
  settings.mountpoint = "srv";
  EXPECT_THAT(checked(settings).error().message(), HasSubstr("whole path"));
  settings.mountpoint = "/etc";
  EXPECT_THAT(checked(settings).error().message(), HasSubstr("the running system needs /etc"));
}

TEST_F(Loaders, SayWhereTheyMountedAndAreContradictedByTheTable) {
  options_.mount_table = directory_ / "mounts";
  std::ofstream(options_.mount_table) << "42 26 0:38 / /srv/photos rw - fuse.x x rw\n";
  auto settings = answering("open", 0);
  auto unlocker = make_command_unlocker(options_);
  settings.mountpoint = "/srv/photos";
  EXPECT_EQ(unlocker->mount({{"photos", settings}}, {})->front().happened, MountHappened::kMounted);
  settings.mountpoint = "/srv/other";
  EXPECT_EQ(unlocker->mount({{"photos", settings}}, {})->front().happened, MountHappened::kFailed);
  settings.mountpoint.clear();
  EXPECT_TRUE(unlocker->mount({{"photos", settings}}, {})->empty());
}

}  // namespace
}  // namespace zkv::unlock
