// Work in child processes: answers in order, bounds on number and memory, time limits, stops, deaths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "unlock/workers.h"

namespace zkv::unlock {
namespace {

using namespace std::chrono_literals;

/// Numbers that children and parent see alike.
struct Shared {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> begun{0};

  static Shared* make() {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return new (memory) Shared;
  }
};

/// Says that it runs, and ends once `together` run at once, or after a while alone.
Work meeting(Shared* shared, std::uint64_t memory, int together) {
  return {memory, [shared, together]() -> Result<> {
            ++shared->begun;
            const int now = ++shared->running;
            for (int most = shared->most; most < now && !shared->most.compare_exchange_weak(most, now);) {
            }
            for (int i = 0; i < 200 && shared->most < together; ++i) ::usleep(1000);
            --shared->running;
            return {};
          }};
}

TEST(Workers, EachAnswersForItselfInTheOrderGiven) {
  const std::vector<Work> works{
      {0, []() -> Result<> { return {}; }},
      {0, []() -> Result<> { return Error::wrong_key("no").remedy("try another"); }},
      {0, []() -> Result<> { return Error::conflict("busy"); }},
      {0,
       []() -> Result<> {
         ::raise(SIGKILL);
         return {};
       }},
  };
  const auto worked = work_in_children(works, {2, 0, 60s}, {});
  EXPECT_TRUE(worked[0].result);
  EXPECT_EQ(worked[1].result.error().kind(), ErrorKind::kWrongKey);
  EXPECT_EQ(worked[1].result.error().message(), "no");
  EXPECT_EQ(worked[1].result.error().remedy(), "try another");
  EXPECT_EQ(worked[2].result.error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(worked[2].result.error().remedy(), "");
  EXPECT_EQ(worked[3].result.error().kind(), ErrorKind::kInternal);
}

TEST(Workers, RunTogetherWhereTheMemoryBearsThem) {
  auto* shared = Shared::make();
  work_in_children(std::vector<Work>(4, meeting(shared, 100, 2)), {2, 200, 60s}, {});
  EXPECT_EQ(shared->most, 2);
  EXPECT_EQ(shared->begun, 4);
}

TEST(Workers, RunOneByOneWhereTwoWouldNeedTooMuchMemory) {
  auto* shared = Shared::make();
  work_in_children(std::vector<Work>(3, meeting(shared, 150, 2)), {2, 200, 60s}, {});
  EXPECT_EQ(shared->most, 1);
  EXPECT_EQ(shared->begun, 3);
}

TEST(Workers, WhatNeedsMoreThanThereIsRunsAlone) {
  auto* shared = Shared::make();
  const auto worked = work_in_children({meeting(shared, 900, 1)}, {2, 200, 60s}, {});
  EXPECT_TRUE(worked.front().result);
}

TEST(Workers, OneThatHangsIsGivenUpAndStopsNoOther) {
  const std::vector<Work> works{{0,
                                 []() -> Result<> {
                                   while (true) ::pause();
                                 }},
                                {0, []() -> Result<> { return {}; }}};
  const auto worked = work_in_children(works, {1, 0, 200ms}, {});
  EXPECT_EQ(worked[0].result.error().kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(worked[1].result);
}

TEST(Workers, AfterAStopNothingBegins) {
  std::stop_source stop;
  stop.request_stop();
  auto* shared = Shared::make();
  const auto worked = work_in_children({meeting(shared, 0, 1)}, {1, 0, 60s}, stop.get_token());
  EXPECT_EQ(worked.front().result.error().kind(), ErrorKind::kInterrupted);
  EXPECT_EQ(shared->begun, 0);
}

TEST(Workers, WhatHasBegunIsFinishedThoughTheTerminalInterrupts) {
  const std::vector<Work> works{{0, []() -> Result<> {
                                   ::raise(SIGINT);
                                   ::raise(SIGTERM);
                                   return {};
                                 }}};
  EXPECT_TRUE(work_in_children(works, {1, 0, 60s}, {}).front().result);
}

}  // namespace
}  // namespace zkv::unlock
