// Mounts by systemd's units, against a manager that speaks its protocol and answers as a test wants.
#include "unlock/mount_unit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <thread>

#include "base/file.h"
#include "test_certificate.h"
#include "unlock/crypt.h"
#include "unlock/service_manager.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using testing::HasSubstr;

/// What it says of the one unit that it has, and does with it.
struct Answers {
  std::string source;
  bool is_outdated = false;
  std::vector<std::string> after = {"local-fs-pre.target"};
  std::string end = "done";  ///< of the job; empty: it never ends
  bool is_gone = false;      ///< by the time of the start
  /// Of the check, look after look; with the last one "activating" the job ends after it.
  std::vector<std::string> states{};
  std::function<void()> starts{};  ///< called as the unit is started
  int exit_code = 0;               ///< of the program that a unit of ours runs
};

/// A service manager, for one connection after the other.
class FakeManager {
 public:
  FakeManager(const fs::path& path, Answers answers) : answers_(std::move(answers)) {
    listener_ = FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::jthread([this] { serve(); });
  }
  FakeManager(const FakeManager&) = delete;
  FakeManager& operator=(const FakeManager&) = delete;
  ~FakeManager() { ::shutdown(listener_.get(), SHUT_RDWR); }

  [[nodiscard]] bool has_started() const { return has_started_; }
  /// The unit that was started last, or else looked at; only once the caller is done.
  [[nodiscard]] std::string unit() const { return unit_; }
  /// What the last unit of ours was to be, as the message about it prints; only once the caller is done.
  [[nodiscard]] std::string wishes() const { return wishes_; }

 private:
  void serve() {
    int connection = -1;
    while ((connection = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0) serve(connection);
  }

  void serve(int connection) {
    sd_bus* made = nullptr;
    EXPECT_GE(sd_bus_new(&made), 0);
    const std::unique_ptr<sd_bus, decltype(&sd_bus_close_unref)> bus(made, sd_bus_close_unref);
    EXPECT_GE(sd_bus_set_fd(made, connection, connection), 0);
    EXPECT_GE(sd_bus_set_server(made, 1, sd_id128_t{}), 0);
    EXPECT_GE(sd_bus_add_filter(made, nullptr, &FakeManager::on_message, this), 0);
    EXPECT_GE(sd_bus_start(made), 0);
    for (int more = 0; more >= 0;) {
      more = sd_bus_process(made, nullptr);
      if (more == 0) more = sd_bus_wait(made, UINT64_MAX);
    }
  }

  static int on_message(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    return static_cast<FakeManager*>(self)->answer(message);
  }

  int answer(sd_bus_message* message) {
    if (sd_bus_message_is_method_call(message, nullptr, "LoadUnit") > 0) {
      const char* name = nullptr;
      EXPECT_GE(sd_bus_message_read(message, "s", &name), 0);
      unit_ = name;
      return sd_bus_reply_method_return(message, "o", "/unit");
    }
    if (sd_bus_message_is_method_call(message, nullptr, "Get") > 0) return answer_property(message);
    if (sd_bus_message_is_method_call(message, nullptr, "GetUnit") > 0) {
      return sd_bus_reply_method_return(message, "o", "/unit");
    }
    if (sd_bus_message_is_method_call(message, nullptr, "ResetFailedUnit") > 0) {
      return sd_bus_reply_method_return(message, "");
    }
    if (sd_bus_message_is_method_call(message, nullptr, "StartTransientUnit") > 0) {
      keep_wishes(message);
      return start(message);
    }
    for (const auto* method : {"StartUnit", "RestartUnit"}) {
      if (sd_bus_message_is_method_call(message, nullptr, method) > 0) return start(message);
    }
    return 0;
  }

  int answer_property(sd_bus_message* message) {
    const char* interface = nullptr;
    const char* name = nullptr;
    EXPECT_GE(sd_bus_message_read(message, "ss", &interface, &name), 0);
    const std::string_view property = name;
    if (property == "SourcePath") {
      return sd_bus_reply_method_return(message, "v", "s", answers_.source.c_str());
    }
    if (property == "NeedDaemonReload") {
      return sd_bus_reply_method_return(message, "v", "b", answers_.is_outdated ? 1 : 0);
    }
    if (property == "ActiveState") return answer_state(message);
    if (property == "ExecStart") {
      return sd_bus_reply_method_return(message, "v", "a(sasbttttuii)", 1, "/bin/mount", 0, 0, 0ULL, 0ULL,
                                        0ULL, 0ULL, 1U, CLD_EXITED, answers_.exit_code);
    }
    EXPECT_EQ(property, "After");
    sd_bus_message* reply = nullptr;
    EXPECT_GE(sd_bus_message_new_method_return(message, &reply), 0);
    EXPECT_GE(sd_bus_message_open_container(reply, 'v', "as"), 0);
    EXPECT_GE(sd_bus_message_open_container(reply, 'a', "s"), 0);
    for (const auto& unit : answers_.after) EXPECT_GE(sd_bus_message_append(reply, "s", unit.c_str()), 0);
    EXPECT_GE(sd_bus_message_close_container(reply), 0);
    EXPECT_GE(sd_bus_message_close_container(reply), 0);
    const int sent = sd_bus_send(nullptr, reply, nullptr);
    sd_bus_message_unref(reply);
    return sent < 0 ? sent : 1;
  }

  void keep_wishes(sd_bus_message* message) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* file = ::open_memstream(&text, &size);
    EXPECT_GE(sd_bus_message_dump(message, file, SD_BUS_MESSAGE_DUMP_WITH_HEADER), 0);
    EXPECT_EQ(std::fclose(file), 0);
    wishes_.assign(text, size);
    std::free(text);
    EXPECT_GE(sd_bus_message_rewind(message, 1), 0);
  }

  int answer_state(sd_bus_message* message) {
    const auto state = looks_ < answers_.states.size() ? answers_.states[looks_++] : "unasked";
    const int replied = sd_bus_reply_method_return(message, "v", "s", state.c_str());
    const bool is_over = looks_ == answers_.states.size() && state == "activating";
    return is_over && replied >= 0 ? emit_removed(message, 7, "done") : replied;
  }

  int emit_removed(sd_bus_message* message, unsigned number, const char* end) const {
    const auto job = "/job/" + std::to_string(number);
    const int sent = sd_bus_emit_signal(sd_bus_message_get_bus(message), "/org/freedesktop/systemd1",
                                        "org.freedesktop.systemd1.Manager", "JobRemoved", "uoss", number,
                                        job.c_str(), unit_.c_str(), end);
    return sent < 0 ? sent : 1;
  }

  int start(sd_bus_message* message) {
    if (answers_.is_gone) {
      return sd_bus_reply_method_errorf(message, "org.freedesktop.systemd1.NoSuchUnit", "Unit not found.");
    }
    const char* name = nullptr;
    EXPECT_GE(sd_bus_message_read(message, "ss", &name, nullptr), 0);
    unit_ = name;
    has_started_ = true;
    if (answers_.starts) answers_.starts();
    const int replied = sd_bus_reply_method_return(message, "o", "/job/7");
    if (replied < 0 || answers_.end.empty()) return replied;
    EXPECT_GE(emit_removed(message, 6, "failed"), 0);  // another's
    return emit_removed(message, 7, answers_.end.c_str());
  }

  Answers answers_;
  std::string unit_;
  std::string wishes_;
  std::size_t looks_ = 0;
  std::atomic<bool> has_started_ = false;
  FileDescriptor listener_;
  std::jthread thread_;
};

class MountUnits : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root may speak to the service manager";
  }

  [[nodiscard]] Answers of_fstab() const { return {.source = manager().fstab}; }
  [[nodiscard]] MountManager manager() const {
    return {.socket = folder_ / "manager", .fstab = folder_ / "fstab"};
  }
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

  TemporaryDirectory folder_;
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

/// An open volume that fstab mounts, by a manager.
class MountsBySystemd : public MountUnits {
 protected:
  MountsBySystemd() {
    write(folder_ / "sys/dm-0/dm/name", "data\n");
    write(folder_ / "sys/dm-0/dm/uuid", "CRYPT-LUKS2-1-data\n");
    write(folder_ / "sys/dm-0/dev", "253:0\n");
    fs::create_directories(folder_ / "sys/dm-0/slaves/vdb");
    fs::create_directories(folder_ / "sys/dm-0/holders");
    write(folder_ / "dev/mapper/data", "");
    write(folder_ / "mountinfo", "");
    write(folder_ / "fstab", (folder_ / "dev/mapper/data").string() + " " + place() + " ext4 nofail 0 2\n");
  }

  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  [[nodiscard]] std::string place() const { return (folder_ / "place").string(); }
  [[nodiscard]] std::function<void()> mounts(const std::string& number) const {
    return [this, number] {
      write(folder_ / "mountinfo", "30 1 " + number + " / " + place() + " rw - ext4 x rw\n");
    };
  }

  [[nodiscard]] MountOutcome mount(const std::string& mountpoint = {}) const {
    CryptOptions options;
    options.devices = folder_ / "dev";
    options.blocks = folder_ / "sys";
    options.mount_table = folder_ / "mountinfo";
    options.fstab = folder_ / "fstab";
    options.manager = manager().socket;
    options.mount = program_;
    options.umount = folder_ / "umount";
    options.mount_helpers = folder_ / "helpers";
    options.blkid = folder_ / "blkid";
    const auto outcomes = make_luks_unlocker(options)->mount({{"data", {{}, mountpoint, {}}}}, {});
    return outcomes && outcomes->size() == 1 ? outcomes->front() : MountOutcome();
  }

  void write_program(const std::string& name, const std::string& what) const {
    write(folder_ / name, "#!/bin/sh\n" + what + "\n");
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }

  std::string program_ = "/bin/false";  ///< in the place of mount(8)
};

TEST_F(MountsBySystemd, ALineOfFstabIsMountedByItsUnit) {
  auto answers = of_fstab();
  answers.starts = mounts("253:0");
  const FakeManager fake(manager().socket, answers);
  const auto outcome = mount();
  EXPECT_EQ(outcome.happened, MountHappened::kMounted) << outcome.detail;
  EXPECT_EQ(outcome.mountpoint, place());
}

TEST_F(MountsBySystemd, AFilesystemWhoseCheckFailsIsNotMountedBesideIt) {
  auto answers = of_fstab();
  answers.end = "dependency";
  const FakeManager fake(manager().socket, answers);
  const auto outcome = mount();
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("the check of the filesystem"));
}

TEST_F(MountsBySystemd, ALineWhoseUnitWaitsForUsIsCheckedAllTheSame) {
  auto answers = of_fstab();
  answers.after.emplace_back("zfs-keyvault.service");
  answers.end = "failed";
  {
    const FakeManager fake(manager().socket, answers);
    const auto outcome = mount();
    EXPECT_EQ(outcome.happened, MountHappened::kFailed);
    EXPECT_THAT(outcome.detail, HasSubstr("damaged"));
    EXPECT_EQ(fake.unit(),
              "systemd-fsck@" + unit_name_of((folder_ / "dev/mapper/data").string()) + ".service");
  }
  fs::remove(manager().socket);
  answers.end = "done";
  program_ = "/bin/true";
  const FakeManager fake(manager().socket, answers);
  EXPECT_EQ(mount().happened, MountHappened::kMounted);
  EXPECT_TRUE(fake.has_started());
}

TEST_F(MountsBySystemd, ALineThatWantsNoCheckGetsNone) {
  write(folder_ / "fstab", (folder_ / "dev/mapper/data").string() + " " + place() + " ext4 nofail 0 0\n");
  auto answers = of_fstab();
  answers.is_outdated = true;
  program_ = "/bin/true";
  const FakeManager fake(manager().socket, answers);
  EXPECT_EQ(mount().happened, MountHappened::kMounted);
  EXPECT_FALSE(fake.has_started());
}

TEST_F(MountsBySystemd, AnotherFilesystemInItsPlaceIsNoSuccess) {
  write_program("umount", ": >" + (folder_ / "unmounted").string());
  auto answers = of_fstab();
  answers.starts = mounts("8:1");
  const FakeManager fake(manager().socket, answers);
  const auto outcome = mount();
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("something else"));
  EXPECT_THAT(outcome.detail, HasSubstr("name it " + (folder_ / "dev/mapper/data").string()));
  EXPECT_TRUE(fs::exists(folder_ / "unmounted")) << "what we had mounted is taken back";
}

/// An open volume with NTFS and a mount point of its own, and mount(8) that says how it was called.
class MountsOfNtfs : public MountsBySystemd {
 protected:
  MountsOfNtfs() {
    write_program("blkid", "echo ntfs");
    write_program("mount", "echo \"$@\" >" + (folder_ / "called").string() + "; echo refused >&2; exit 32");
    program_ = folder_ / "mount";
  }

  [[nodiscard]] std::string called() const {
    std::ifstream file(folder_ / "called");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::string device() const { return (folder_ / "dev/mapper/data").string(); }
};

TEST_F(MountsOfNtfs, AHelperRunsInAUnitOfItsOwn) {
  write_program("helpers/mount.ntfs", "exit 1");
  auto answers = of_fstab();
  answers.starts = mounts("253:0");
  const FakeManager fake(manager().socket, answers);
  EXPECT_EQ(mount(place()).happened, MountHappened::kMounted);
  EXPECT_EQ(fake.unit(), "zkv-mount-" + unit_name_of(place()) + ".service");
  for (const auto& word : {program_, device(), place(), unit_name_of(place()) + ".mount"}) {
    EXPECT_THAT(fake.wishes(), HasSubstr("STRING \"" + word + "\""));
  }
  EXPECT_EQ(called(), "") << "only systemd runs it";
}

TEST_F(MountsOfNtfs, AHelperThatFailsInItsUnitIsToldWithItsCode) {
  write_program("helpers/mount.ntfs", "exit 1");
  auto answers = of_fstab();
  answers.end = "failed";
  answers.exit_code = 15;
  const FakeManager fake(manager().socket, answers);
  const auto outcome = mount(place());
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_EQ(outcome.detail, "mount ended with code 15");
}

TEST_F(MountsOfNtfs, WithoutSystemdTheHelperRunsHere) {
  write_program("helpers/mount.ntfs", "exit 1");
  EXPECT_EQ(mount(place()).detail, "refused");
  EXPECT_EQ(called(), "-- " + device() + " " + place() + "\n");
}

TEST_F(MountsOfNtfs, WithoutAHelperTheKernelIsAskedForItsOwn) {
  const FakeManager fake(manager().socket, of_fstab());
  EXPECT_THAT(mount(place()).detail, testing::StartsWith("refused; it is NTFS, which ntfs-3g serves too"));
  EXPECT_EQ(called(), "-t ntfs3 -- " + device() + " " + place() + "\n");
  EXPECT_FALSE(fake.has_started());
}

}  // namespace
}  // namespace zkv::unlock
