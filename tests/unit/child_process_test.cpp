// Running other programs, working in parallel, and the list of all unlockers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <csignal>
#include <cstddef>
#include <set>
#include <thread>

#include "base/encoding.h"
#include "unlock/child_process.h"
#include "unlock/parallel.h"
#include "unlock/registry.h"

namespace zkv::unlock {
namespace {

TEST(ChildProcess, TellsOfExitCodesSignalsAndBothStreams) {
  const auto finished = run({"/bin/sh", {"-c", "cat; echo wrong >&2; exit 3"}, bytes_of("input")});
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->exit_code, 3);
  EXPECT_EQ(finished->output, "input");
  EXPECT_EQ(finished->errors, "wrong\n");
  EXPECT_EQ(run({"/bin/sh", {"-c", "kill -TERM $$"}, {}})->exit_code, 128 + SIGTERM);
}

TEST(ChildProcess, AChildThatReadsNothingStopsNobody) {
  const std::string input(4096, 'x');
  EXPECT_EQ(run({"/bin/true", {}, bytes_of(input)})->exit_code, 0);
  EXPECT_FALSE(run({"/bin/true", {}, bytes_of(input + "x")}));
}

TEST(ChildProcess, AProgramThatDoesNotExistIsNotFound) {
  EXPECT_EQ(run({"/nonexistent/program", {}, {}}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(find_program("no-such-program-as-this").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(*find_program("/any/path"), "/any/path");
}

TEST(Parallel, EveryIndexHasItsTurnOnce) {
  std::vector<std::atomic<int>> turns(1000);
  for_each_index(turns.size(), {}, [&](std::size_t i) { ++turns[i]; });
  EXPECT_THAT(turns, testing::Each(testing::ResultOf([](const std::atomic<int>& n) { return n.load(); }, 1)));
}

/// Where one core after the other did it, or one core all, nobody would come to the meeting.
TEST(Parallel, AsManyAreAtItAtOnceAsThereAreCores) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  if (cores < 2) GTEST_SKIP() << "there is one core alone";
  std::barrier meeting(static_cast<std::ptrdiff_t>(cores));
  std::atomic<int> met = 0;
  for_each_index(cores, {}, [&](std::size_t) {
    meeting.arrive_and_wait();
    ++met;
  });
  EXPECT_EQ(met, static_cast<int>(cores));
}

TEST(Parallel, AfterAStopRequestNoFurtherWorkBegins) {
  std::stop_source stop;
  std::atomic<int> turns = 0;
  for_each_index(100'000, stop.get_token(), [&](std::size_t) {
    ++turns;
    stop.request_stop();
  });
  EXPECT_LT(turns, 1000);
}

TEST(Registry, HoldsOneUnlockerForEachKind) {
  std::set<repository::VolumeKind> kinds;
  const auto unlockers = all_unlockers({});
  for (const auto& unlocker : unlockers) kinds.insert(unlocker->kind());
  EXPECT_EQ(kinds.size(), unlockers.size());
  EXPECT_TRUE(kinds.contains(repository::VolumeKind::kZfs));
  EXPECT_TRUE(kinds.contains(repository::VolumeKind::kLuks));
  EXPECT_TRUE(kinds.contains(repository::VolumeKind::kCommand));
}

}  // namespace
}  // namespace zkv::unlock
