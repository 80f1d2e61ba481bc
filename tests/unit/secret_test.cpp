// Secrets as files in memory: owner, mode, places that are refused, and the words of the kind. /dev/shm is
// where a test finds memory.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/file.h"
#include "test_certificate.h"
#include "unlock/guarded_path.h"
#include "unlock/secret.h"
#include "unlock/secret_file.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A directory of its own in memory.
class Secrets : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/dev/shm/zkv-secret-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    if (!is_in_memory(FileDescriptor(::open(name.c_str(), O_RDONLY)).get())) GTEST_SKIP() << "no /dev/shm";
  }
  ~Secrets() override { fs::remove_all(folder_); }

  Outcome opened(const repository::VolumeSettings& settings, std::string_view key = "s3cret",
                 Attempt attempt = Attempt::kOpen) {
    const Unlocker::Volume secret{"token", repository::VolumeKind::kSecret, bytes_of(key), {}, settings};
    return make_secret_unlocker()->open(std::span(&secret, 1), attempt, {}).front();
  }
  Outcome closed(const repository::VolumeSettings& settings) {
    return make_secret_unlocker()->close({{"token", settings}}, {}).front();
  }
  VolumeState state(const repository::VolumeSettings& settings) {
    return make_secret_unlocker()->inspect({{"token", settings}})->front();
  }
  Error refused(const repository::VolumeSettings& settings) {
    return make_secret_unlocker()->check({"token", settings}).error();
  }
  repository::VolumeSettings at(const std::string& name, const std::string& options = {}) {
    return {.device = {}, .mountpoint = folder_ / name, .options = options};
  }
  std::string content(const std::string& name) {
    const auto bytes = read_file(folder_ / name, 65'536);
    return bytes ? std::string(bytes->begin(), bytes->end()) : "nothing";
  }
  void write(const std::string& name) { std::ofstream(folder_ / name) << "half"; }
  struct stat status(const std::string& name) {
    struct stat info {};
    EXPECT_EQ(::lstat((folder_ / name).c_str(), &info), 0);
    return info;
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_)) all.push_back(entry.path().filename());
    return all;
  }

  fs::path folder_;
};

TEST_F(Secrets, AreWrittenOnceAndReplacedWhenTheyChange) {
  EXPECT_EQ(state(at("token")).is_open, false);
  EXPECT_EQ(opened(at("token")).happened, Happened::kOpened);
  EXPECT_EQ(content("token"), "s3cret");
  EXPECT_EQ(status("token").st_mode & 07777, 0400U);
  EXPECT_EQ(state(at("token")).is_open, true);
  EXPECT_EQ(opened(at("token")).happened, Happened::kAlreadyOpen);
  EXPECT_EQ(opened(at("token"), "longer than before").happened, Happened::kOpened);
  EXPECT_EQ(content("token"), "longer than before");
  EXPECT_EQ(names(), std::vector<std::string>{"token"});
}

TEST_F(Secrets, WhatAKilledProcessLeftHalfWrittenIsWipedAndRemoved) {
  const pid_t dead = ::fork();
  if (dead == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(dead, nullptr, 0), dead);
  const auto left = ".token.tmp." + std::to_string(dead) + ".0123456789abcdef";
  const auto living = ".token.tmp." + std::to_string(::getppid()) + ".0123456789abcdef";
  const auto of_another = ".token.tmp." + std::to_string(dead) + ".tmp." + std::to_string(dead) + ".01";
  for (const auto& name : {living, of_another, std::string(".token.tmp.word")}) write(name);
  const auto look = [&] {
    write(left);
    return FileDescriptor(::open((folder_ / left).c_str(), O_RDONLY));
  };
  const auto before = look();
  EXPECT_EQ(opened(at("token")).happened, Happened::kOpened);
  EXPECT_THAT(names(), testing::UnorderedElementsAre("token", living, of_another, ".token.tmp.word"));
  EXPECT_EQ(read_secret(before.get(), 100, "it")->view(), std::string(4, '\0'));
  const auto again = look();
  EXPECT_EQ(opened(at("token")).happened, Happened::kAlreadyOpen);
  EXPECT_FALSE(fs::exists(folder_ / left));
  const auto last = look();
  EXPECT_EQ(closed(at("token")).happened, Happened::kClosed);
  EXPECT_THAT(names(), testing::UnorderedElementsAre(living, of_another, ".token.tmp.word"));
}

TEST_F(Secrets, AreWipedAndRemovedWhenTheyAreClosed) {
  ASSERT_EQ(opened(at("token")).happened, Happened::kOpened);
  const FileDescriptor before(::open((folder_ / "token").c_str(), O_RDONLY));
  EXPECT_EQ(closed(at("token")).happened, Happened::kClosed);
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(read_secret(before.get(), 100, "it")->view(), std::string(6, '\0'));
  EXPECT_EQ(closed(at("token")).happened, Happened::kAlreadyClosed);
  EXPECT_EQ(closed(at("never/made/token")).happened, Happened::kAlreadyClosed);
}

TEST_F(Secrets, HaveTheOwnerAndModeThatTheOptionsSay) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(opened(at("token", "owner=nobody,group=1,mode=0440")).happened, Happened::kOpened);
  const auto info = status("token");
  EXPECT_EQ(info.st_uid, 65'534U);
  EXPECT_EQ(info.st_gid, 1U);
  EXPECT_EQ(info.st_mode & 07777, 0440U);
  EXPECT_EQ(closed(at("token", "owner=nobody,group=1,mode=0440")).happened, Happened::kClosed);
}

TEST_F(Secrets, MakeTheDirectoriesThatOthersPassThroughWhateverTheUmask) {
  const mode_t umask = ::umask(0077);
  EXPECT_EQ(opened(at("made/on/the/way")).happened, Happened::kOpened);
  ::umask(umask);
  EXPECT_EQ(status("made/on").st_mode & 07777, 0755U);
}

TEST_F(Secrets, AreTriedWithoutMakingAnything) {
  EXPECT_EQ(opened(at("made/on/the/way"), "s3cret", Attempt::kTrial).happened, Happened::kKeyFits);
  EXPECT_TRUE(names().empty());
}

TEST_F(Secrets, NeverGoOverALink) {
  const test::TemporaryDirectory disk;
  std::ofstream(disk / "stolen") << "old";
  fs::create_symlink(disk / "stolen", folder_ / "token");
  EXPECT_EQ(opened(at("token")).happened, Happened::kFailed);
  EXPECT_EQ(closed(at("token")).happened, Happened::kFailed);
  fs::create_directory_symlink(disk / "", folder_ / "directory");
  EXPECT_THAT(opened(at("directory/token")).detail, HasSubstr("symbolic link"));
  EXPECT_THAT(opened(at("directory/token"), "s3cret", Attempt::kTrial).detail, HasSubstr("symbolic link"));
  EXPECT_FALSE(fs::exists(disk / "token"));
  std::string old;
  std::getline(std::ifstream(disk / "stolen"), old);
  EXPECT_EQ(old, "old");
}

TEST_F(Secrets, NeverGoWhereOthersCanWrite) {
  fs::permissions(folder_, fs::perms::group_write, fs::perm_options::add);
  EXPECT_THAT(opened(at("token")).detail, HasSubstr("others than its owner can write"));
  EXPECT_THAT(opened(at("token"), "s3cret", Attempt::kTrial).detail, HasSubstr("can write"));
  EXPECT_THAT(opened({.device = {}, .mountpoint = "/dev/shm/zkv-token"}).detail,
              HasSubstr("can write /dev/shm"));
  EXPECT_TRUE(names().empty());
}

TEST_F(Secrets, NeverGoToADisk) {
  const test::TemporaryDirectory disk;
  if (is_in_memory(FileDescriptor(::open((disk / "").c_str(), O_RDONLY)).get())) GTEST_SKIP() << "no disk";
  const repository::VolumeSettings there{.device = {}, .mountpoint = disk / "token"};
  EXPECT_THAT(opened(there).detail, HasSubstr("does not lie in memory"));
  EXPECT_THAT(opened(there, "s3cret", Attempt::kTrial).detail, HasSubstr("does not lie in memory"));
  EXPECT_EQ(opened({.device = {}, .mountpoint = disk / "made/token"}).happened, Happened::kFailed);
  EXPECT_FALSE(fs::exists(disk / "token") || fs::exists(disk / "made"));
}

TEST_F(Secrets, LeaveAloneWhatIsNotTheirs) {
  std::ofstream(folder_ / "token") << "of somebody";
  fs::permissions(folder_ / "token", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THAT(opened(at("token")).detail, HasSubstr("something else is at"));
  EXPECT_EQ(closed(at("token")).happened, Happened::kFailed);
  EXPECT_FALSE(state(at("token")).is_open);
  EXPECT_EQ(content("token"), "of somebody");
  ASSERT_EQ(opened(at("twice")).happened, Happened::kOpened);
  fs::create_hard_link(folder_ / "twice", folder_ / "other-name");
  EXPECT_EQ(closed(at("twice")).happened, Happened::kFailed);
  EXPECT_EQ(content("other-name"), "s3cret");
  fs::create_directory(folder_ / "directory");
  EXPECT_EQ(opened(at("directory")).happened, Happened::kFailed);
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0400), 0);
  EXPECT_EQ(opened(at("fifo")).happened, Happened::kFailed);
}

TEST_F(Secrets, WithoutAPlaceAreServedAndNeverOpen) {
  EXPECT_EQ(opened({}).happened, Happened::kServed);
  EXPECT_EQ(opened({}, "s3cret", Attempt::kTrial).happened, Happened::kServed);
  EXPECT_TRUE(state({}).is_served);
  EXPECT_FALSE(state({}).is_open);
  EXPECT_EQ(closed({}).happened, Happened::kServed) << "the agent has it until it ends";
}

TEST_F(Secrets, RefuseWordsThatMeanNothing) {
  for (const auto* options :
       {"mode=0444", "mode=04400", "mode=9", "mode=", "mode=0200", "mode", "user=root", "owner="}) {
    EXPECT_FALSE(refused(at("token", options)).message().empty()) << options;
  }
  EXPECT_EQ(refused(at("token", "owner=no-such-user-here")).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(refused({.device = {}, .mountpoint = "run/token"}).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(refused({.device = {}, .mountpoint = {}, .options = "mode=0400"}).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(refused({.device = "/dev/vdb"}).kind(), ErrorKind::kInvalid);
  EXPECT_TRUE(make_secret_unlocker()->check({"token", at("token", ",mode=0440,,")}));
  EXPECT_FALSE(make_secret_unlocker()->check({"to/ken", at("token")}));
}

}  // namespace
}  // namespace zkv::unlock
