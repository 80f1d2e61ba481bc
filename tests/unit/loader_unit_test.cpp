// Loaders in units of their own, against a manager that answers as a test wants: an opening that hangs does
// not go on after a stop, nor after the volume was closed.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "fake_manager.h"
#include "unlock/command.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::Answers;
using test::FakeManager;

class LoaderUnits : public test::ManagedMounts {
 protected:
  LoaderUnits() {
    options_.manager = manager().socket;
    options_.time_to_finish = std::chrono::milliseconds(20);
    const fs::path program = folder_ / "loader";
    std::ofstream(program) << "#!/bin/sh\n[ $1 != status ] || exit 13\ntouch \"${0%/*}/$1\"\n";
    fs::permissions(program, fs::perms::owner_all);
    settings_.program = program;
  }

  Outcome open(const std::stop_token& stop) {
    const Unlocker::Volume volume{
        "photos", repository::VolumeKind::kCommand, bytes_of("the key"), {}, settings_};
    return make_command_unlocker(options_)->open(std::span(&volume, 1), Attempt::kOpen, stop).front();
  }
  Outcome close() { return make_command_unlocker(options_)->close({{"photos", settings_}}, {}).front(); }
  static Answers in_states(std::vector<std::string> states) {
    Answers answers;
    answers.states = std::move(states);
    return answers;
  }
  [[nodiscard]] bool was_called_to(const char* verb) const { return fs::exists(folder_ / verb); }

  CommandOptions options_;
  repository::VolumeSettings settings_;
};

TEST_F(LoaderUnits, AnOpeningThatHangsIsStoppedSoonAfterAStopRequest) {
  std::stop_source stop;
  Answers answers;
  answers.end = "";
  answers.starts = [&] { stop.request_stop(); };
  const FakeManager fake(manager().socket, answers);
  const auto outcome = open(stop.get_token());
  EXPECT_EQ(outcome.happened, Happened::kInterrupted) << outcome.detail;
  EXPECT_EQ(fake.stopped(), "zkv-loader-photos.service");
}

TEST_F(LoaderUnits, AnOpeningThatEndsIsNotStopped) {
  std::stop_source stop;
  Answers answers;
  answers.starts = [&] { stop.request_stop(); };
  const FakeManager fake(manager().socket, answers);
  EXPECT_EQ(open(stop.get_token()).happened, Happened::kOpened);
  EXPECT_EQ(fake.stopped(), "");
}

TEST_F(LoaderUnits, ClosingEndsAnOpeningThatIsUnderWay) {
  for (const auto* state : {"activating", "deactivating"}) {
    const FakeManager fake(manager().socket, in_states({state, "inactive"}));
    EXPECT_EQ(close().happened, Happened::kClosed);
    EXPECT_EQ(fake.stopped(), "zkv-loader-photos.service") << state;
    EXPECT_TRUE(was_called_to("close"));
    fs::remove(manager().socket);
  }
}

TEST_F(LoaderUnits, ClosingLeavesTheDaemonOfOneThatIsOpenToItsLoader) {
  const FakeManager fake(manager().socket, in_states({"active"}));
  EXPECT_EQ(close().happened, Happened::kClosed);
  EXPECT_EQ(fake.stopped(), "");
  EXPECT_TRUE(was_called_to("close"));
}

TEST_F(LoaderUnits, AnOpeningThatCannotBeEndedIsToldAndNotCalledClosed) {
  std::ofstream(manager().socket) << "no socket\n";
  EXPECT_EQ(close().happened, Happened::kClosed) << "no manager: no unit of it";
  fs::remove(manager().socket);
  fs::remove(fs::path(folder_ / "close"));
  auto answers = in_states({"activating"});
  answers.refuses_to_stop = true;
  const FakeManager fake(manager().socket, answers);
  const auto outcome = close();
  EXPECT_EQ(outcome.happened, Happened::kFailed);
  EXPECT_NE(outcome.detail.find("it is still being opened"), std::string::npos) << outcome.detail;
  EXPECT_FALSE(was_called_to("close"));
}

}  // namespace
}  // namespace zkv::unlock
