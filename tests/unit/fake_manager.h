// A service manager for tests, which speaks systemd's protocol and answers as a test wants.
#pragma once

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
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "test_certificate.h"
#include "unlock/mount_unit.h"

namespace zkv::test {

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
  bool refuses_to_stop = false;
};

/// A service manager, for one connection after the other.
class FakeManager {
 public:
  FakeManager(const std::filesystem::path& path, Answers answers) : answers_(std::move(answers)) {
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
  /// The unit that was stopped last, or nothing; only once the caller is done.
  [[nodiscard]] std::string stopped() const { return stopped_; }
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
    if (sd_bus_message_is_method_call(message, nullptr, "StopUnit") > 0) return stop(message);
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

  int stop(sd_bus_message* message) {
    const char* name = nullptr;
    EXPECT_GE(sd_bus_message_read(message, "ss", &name, nullptr), 0);
    if (answers_.refuses_to_stop) {
      return sd_bus_reply_method_errorf(message, "org.freedesktop.DBus.Error.AccessDenied", "Not allowed.");
    }
    stopped_ = name;
    const int replied = sd_bus_reply_method_return(message, "o", "/job/8");
    return replied < 0 ? replied : emit_removed(message, 8, "done");
  }

  Answers answers_;
  std::string unit_;
  std::string stopped_;
  std::string wishes_;
  std::size_t looks_ = 0;
  std::atomic<bool> has_started_ = false;
  FileDescriptor listener_;
  std::jthread thread_;
};

/// A folder with a place for such a manager's socket.
class ManagedMounts : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root may speak to the service manager";
  }

  [[nodiscard]] Answers of_fstab() const { return {.source = manager().fstab}; }
  [[nodiscard]] unlock::MountManager manager() const {
    return {.socket = folder_ / "manager", .fstab = folder_ / "fstab"};
  }

  TemporaryDirectory folder_;
};

}  // namespace zkv::test
