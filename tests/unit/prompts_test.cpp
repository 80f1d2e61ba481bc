// Prompts of an initramfs, played by files, FIFOs and sockets in a folder of this test's own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/secret_bytes.h"
#include "prompts/answering.h"
#include "prompts/askers.h"

namespace zkv::prompts {
namespace {

namespace fs = std::filesystem;
using repository::VolumeKeys;
using repository::VolumeKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// An initramfs in a folder.
class PromptsTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  Places places() const {
    return {.cryptsetup = folder_ / "cryptsetup",
            .ask_password = folder_ / "ask-password",
            .run = folder_ / "run",
            .processes = folder_ / "proc"};
  }

  /// askpass as it waits: a process with an environment, and a FIFO.
  void begin_askpass(int process, const std::string& volume, const std::string& device) {
    using namespace std::string_literals;
    const auto its = places().processes / std::to_string(process);
    write(its / "cmdline", "/lib/cryptsetup/askpass\0Please unlock disk\0"s);
    write(its / "environ", "CRYPTTAB_NAME=" + volume + "\0CRYPTTAB_SOURCE="s + device + "\0"s);
    fs::create_directories(places().cryptsetup);
    ::mkfifo(fifo().c_str(), 0600);
  }
  fs::path fifo() const { return places().cryptsetup / "passfifo"; }

  /// What systemd-ask-password leaves for whoever answers.
  void ask(const std::string& name, const std::string& lines) {
    write(places().ask_password / "tmp.ask", "[Ask]\nPID=1\n" + lines);
    fs::rename(places().ask_password / "tmp.ask", places().ask_password / name);
  }

  fs::path folder_ = [] {
    std::string name = "/tmp/zkv-prompts-XXXXXX";
    return fs::path(::mkdtemp(name.data()));
  }();
};

/// A datagram socket as systemd-ask-password has one.
class ReplySocket {
 public:
  explicit ReplySocket(const fs::path& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  std::string receive() const {
    pollfd watched{fd_.get(), POLLIN, 0};
    if (::poll(&watched, 1, 10'000) != 1) return "nothing came";
    std::array<char, 256> bytes{};
    const auto size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(size)};
  }

 private:
  FileDescriptor fd_;
};

TEST_F(PromptsTest, AskpassIsToldByItsEnvironment) {
  begin_askpass(41, "root", "/dev/vda3");
  const auto prompts = pass_fifo(places())->prompts();
  ASSERT_THAT(prompts, SizeIs(1));
  EXPECT_EQ(prompts[0].volume, "root");
  EXPECT_EQ(prompts[0].device, "/dev/vda3");
  EXPECT_EQ(prompts[0].wants, Wants::kKey);
}

TEST_F(PromptsTest, NoPromptWithoutAFifo) {
  begin_askpass(41, "root", "/dev/vda3");
  fs::remove(fifo());
  write(fifo(), "not a FIFO");
  EXPECT_THAT(pass_fifo(places())->prompts(), IsEmpty());
}

TEST_F(PromptsTest, AFifoThatNobodyReadsTakesNoKey) {
  begin_askpass(41, "root", "");
  const auto asker = pass_fifo(places());
  const auto given = asker->answer(asker->prompts().front(), bytes_of("key"));
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().kind(), ErrorKind::kUnavailable);
  const FileDescriptor late(::open(fifo().c_str(), O_RDONLY | O_NONBLOCK));
  char byte = 0;
  EXPECT_EQ(::read(late.get(), &byte, 1), 0) << "a key waited for whoever came next";
}

TEST_F(PromptsTest, AFifoThatIsALinkElsewhereIsNotWrittenTo) {
  begin_askpass(41, "root", "");
  fs::rename(fifo(), folder_ / "elsewhere");
  fs::create_symlink(folder_ / "elsewhere", fifo());
  const FileDescriptor reader(::open((folder_ / "elsewhere").c_str(), O_RDONLY | O_NONBLOCK));
  EXPECT_FALSE(pass_fifo(places())->answer({}, bytes_of("key")));
}

TEST_F(PromptsTest, AFifoTakesAnyBytes) {
  begin_askpass(41, "root", "");
  const FileDescriptor reader(::open(fifo().c_str(), O_RDONLY | O_NONBLOCK));
  const std::array<std::uint8_t, 4> key{0, '\n', 0xff, 0};
  const auto asker = pass_fifo(places());
  ASSERT_TRUE(asker->answer(asker->prompts().front(), key));
  std::array<std::uint8_t, 8> read{};
  EXPECT_EQ(::read(reader.get(), read.data(), read.size()), 4);
  EXPECT_EQ(std::memcmp(read.data(), key.data(), key.size()), 0);
}

TEST_F(PromptsTest, SystemdsQuestionsAreReadAndOthersLeftAlone) {
  ask("ask.A",
      "Socket=/s\nId=cryptsetup:/dev/disk/by-id/a\\\\x2db\nMessage=Please enter passphrase for disk x:\n");
  ask("ask.B", "Socket=/t\nMessage=Encrypted ZFS password for rpool/root:\n");
  ask("ask.C", "Socket=/u\nId=keyring:ssh\nMessage=Password of the user:\n");
  write(places().ask_password / "sck.1", "");
  auto prompts = ask_password(places())->prompts();
  std::sort(prompts.begin(), prompts.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  ASSERT_THAT(prompts, SizeIs(2));
  EXPECT_EQ(prompts[0].device, "/dev/disk/by-id/a\\x2db");
  EXPECT_EQ(prompts[0].wants, Wants::kKey);
  EXPECT_EQ(prompts[1].volume, "rpool/root");
  EXPECT_EQ(prompts[1].wants, Wants::kOpened);
}

TEST_F(PromptsTest, SystemdIsAnsweredByADatagram) {
  const ReplySocket socket(folder_ / "sck");
  const std::string reply = folder_ / "sck";
  const auto asker = ask_password(places());
  ASSERT_TRUE(asker->answer({.id = "a", .wants = Wants::kKey, .reply = reply}, bytes_of("secret")));
  EXPECT_EQ(socket.receive(), "+secret");
  ASSERT_TRUE(asker->answer({.id = "a", .wants = Wants::kOpened, .reply = reply}, {}));
  EXPECT_EQ(socket.receive(), "-");
}

TEST_F(PromptsTest, SystemdIsGivenNoKeyThatItWouldCutOff) {
  const std::array<std::uint8_t, 3> key{'a', 0, 'b'};
  const auto given = ask_password(places())->answer({.id = "a", .reply = "/nowhere"}, key);
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(given.error().message(), HasSubstr("zero byte"));
}

TEST_F(PromptsTest, AQuestionWhoseAskerIsGoneIsAnError) {
  EXPECT_FALSE(ask_password(places())->answer({.id = "a", .reply = folder_ / "gone"}, bytes_of("k")));
  EXPECT_FALSE(ask_password(places())->answer({.id = "a", .reply = ""}, bytes_of("k")));
  EXPECT_FALSE(ask_password(places())->answer({.id = "a", .reply = std::string(200, 'x')}, bytes_of("k")));
}

TEST_F(PromptsTest, ZfsOnTheConsoleIsEndedAndNobodyElse) {
  write(places().run / "zfs_fs_name", "rpool/root\n");
  const auto asker = zfs_console(places());
  ASSERT_THAT(asker->prompts(), SizeIs(1));
  const pid_t asks = ::fork();
  if (asks == 0) {
    ::pause();
    ::_exit(0);
  }
  using namespace std::string_literals;
  write(places().processes / std::to_string(asks) / "cmdline", "/sbin/zfs\0load-key\0rpool/root\0"s);
  // This very process, with another filesystem: it must live.
  write(places().processes / std::to_string(::getpid()) / "cmdline", "/sbin/zfs\0load-key\0rpool/other\0"s);
  ASSERT_TRUE(asker->answer(asker->prompts().front(), {}));
  int status = 0;
  EXPECT_EQ(::waitpid(asks, &status, 0), asks);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(PromptsTest, ZfsThatAsksForNothingIsNoPrompt) {
  EXPECT_THAT(zfs_console(places())->prompts(), IsEmpty());
  write(places().run / "zfs_fs_name", "-\n");
  EXPECT_THAT(zfs_console(places())->prompts(), IsEmpty());
}

VolumeKeys keys_of(std::initializer_list<std::pair<std::string, VolumeKind>> volumes) {
  VolumeKeys keys;
  for (const auto& [name, kind] : volumes) EXPECT_TRUE(keys.add(name, kind, bytes_of("key of " + name)));
  return keys;
}

TEST(FindAskedTest, TheNearestFilesystemAboveIsMeant) {
  const auto keys =
      keys_of({{"rpool", VolumeKind::kZfs}, {"rpool/a", VolumeKind::kZfs}, {"rpool/ab", VolumeKind::kZfs}});
  const auto volumes = keys.volumes();
  const auto asked = [&](const std::string& name) {
    const auto* volume = find_asked({.id = "", .wants = Wants::kOpened, .volume = name}, volumes, "/dev");
    return volume == nullptr ? "none" : volume->name;
  };
  EXPECT_EQ(asked("rpool/a/b/c"), "rpool/a");
  EXPECT_EQ(asked("rpool/abc"), "rpool");
  EXPECT_EQ(asked("rpool/ab"), "rpool/ab");
  EXPECT_EQ(asked("rpoolx"), "none");
}

TEST(FindAskedTest, AMappingIsFoundByItsNameAndNeverAmongOtherKinds) {
  const auto keys =
      keys_of({{"root", VolumeKind::kZfs}, {"swap", VolumeKind::kLuks}, {"token", VolumeKind::kSecret}});
  const auto volumes = keys.volumes();
  EXPECT_EQ(find_asked({.id = "", .volume = "root"}, volumes, "/dev"), nullptr);
  EXPECT_EQ(find_asked({.id = "", .volume = "token"}, volumes, "/dev"), nullptr);
  ASSERT_NE(find_asked({.id = "", .volume = "swap"}, volumes, "/dev"), nullptr);
}

/// Says when a line was said.
class Console {
 public:
  void say(const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
    changed_.notify_all();
  }
  bool await(const std::string& part, std::ptrdiff_t times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      return std::count_if(lines_.begin(), lines_.end(),
                           [&](const auto& line) { return line.find(part) != std::string::npos; }) >= times;
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

class AnsweringTest : public PromptsTest {
 protected:
  /// Answers until the test ends.
  void begin(const VolumeKeys& keys) {
    worker_ = std::jthread([this, &keys](const std::stop_token& stop) {
      const AnsweringOptions options{.say = [this](const std::string& line) { console_.say(line); },
                                     .may_have_key = may_have_key_};
      EXPECT_TRUE(answer_prompts(keys, all_askers(places()), {}, options, stop));
    });
  }

  void TearDown() override {
    worker_ = {};
    PromptsTest::TearDown();
  }

  Console console_;
  std::function<Result<>(const VolumeKeys::Volume&)> may_have_key_;
  std::jthread worker_;
};

TEST_F(AnsweringTest, ADiskWhoseHeaderProtectsNothingGetsNoKey) {
  const auto keys = keys_of({{"root", VolumeKind::kLuks}});
  begin_askpass(41, "root", "");
  const FileDescriptor reader(::open(fifo().c_str(), O_RDONLY | O_NONBLOCK));
  may_have_key_ = [](const auto&) -> Result<> { return Error::denied("it protects nothing"); };
  begin(keys);
  ASSERT_TRUE(console_.await("root: it protects nothing"));
  std::array<char, 64> read{};
  EXPECT_LE(::read(reader.get(), read.data(), read.size()), 0);
}

TEST_F(AnsweringTest, AKeyIsGivenOnceAndThenAPersonIsAsked) {
  const auto keys = keys_of({{"root", VolumeKind::kLuks}});
  const ReplySocket socket(folder_ / "sck");
  fs::create_directories(places().ask_password);
  // systemd names devices only, so that nothing but askpass can name a mapping that has no device here.
  begin_askpass(41, "root", "");
  const FileDescriptor reader(::open(fifo().c_str(), O_RDONLY | O_NONBLOCK));
  begin(keys);
  ASSERT_TRUE(console_.await("answered the prompt for root"));
  std::array<char, 64> read{};
  EXPECT_EQ(
      std::string(read.data(), static_cast<std::size_t>(::read(reader.get(), read.data(), read.size()))),
      "key of root");
  fs::remove_all(places().processes / "41");
  begin_askpass(42, "root", "");
  write(places().cryptsetup / "again", "");
  ASSERT_TRUE(console_.await("does not open root: type its passphrase"));
  EXPECT_LE(::read(reader.get(), read.data(), read.size()), 0);
}

TEST_F(AnsweringTest, WhileAKeyIsBeingChangedTheNextOneIsTriedToo) {
  auto keys = keys_of({{"root", VolumeKind::kLuks}});
  ASSERT_TRUE(keys.begin_change("root", bytes_of("next key")));
  begin_askpass(41, "root", "");
  const FileDescriptor reader(::open(fifo().c_str(), O_RDONLY | O_NONBLOCK));
  begin(keys);
  ASSERT_TRUE(console_.await("answered the prompt for root"));
  std::array<char, 64> read{};
  ASSERT_GT(::read(reader.get(), read.data(), read.size()), 0);
  fs::remove_all(places().processes / "41");
  begin_askpass(42, "root", "");
  write(places().cryptsetup / "again", "");
  ASSERT_TRUE(console_.await("answered the prompt for root", 2));
  EXPECT_EQ(
      std::string(read.data(), static_cast<std::size_t>(::read(reader.get(), read.data(), read.size()))),
      "next key");
  fs::remove_all(places().processes / "42");
  begin_askpass(43, "root", "");
  write(places().cryptsetup / "once more", "");
  EXPECT_TRUE(console_.await("does not open root: type its passphrase"));
}

TEST_F(AnsweringTest, APromptThatDoesNotListenYetIsAnsweredOnceItDoes) {
  const auto keys = keys_of({{"root", VolumeKind::kLuks}});
  begin_askpass(41, "root", "");
  begin(keys);
  // Opening the FIFO is the event that is awaited.
  const FileDescriptor reader(::open(fifo().c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_TRUE(console_.await("answered the prompt for root"));
}

TEST_F(AnsweringTest, WhatTheRepositoryLacksIsLeftToThePerson) {
  const auto keys = keys_of({{"root", VolumeKind::kLuks}});
  begin_askpass(41, "other", "");
  const FileDescriptor reader(::open(fifo().c_str(), O_RDONLY | O_NONBLOCK));
  begin(keys);
  ASSERT_TRUE(console_.await("no key for other"));
  char byte = 0;
  EXPECT_LE(::read(reader.get(), &byte, 1), 0);
}

}  // namespace
}  // namespace zkv::prompts
