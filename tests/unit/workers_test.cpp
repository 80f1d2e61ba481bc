// Work in child processes: answers in order, bounds on number and memory, time limits, stops, deaths.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

#include "base/file.h"
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
  return {memory, [shared, together]() -> Result<std::uint64_t> {
            ++shared->begun;
            const int now = ++shared->running;
            for (int most = shared->most; most < now && !shared->most.compare_exchange_weak(most, now);) {
            }
            for (int i = 0; i < 200 && shared->most < together; ++i) ::usleep(1000);
            --shared->running;
            return 0;
          }};
}

TEST(Workers, EachAnswersForItselfInTheOrderGiven) {
  const std::vector<Work> works{
      {0, []() -> Result<std::uint64_t> { return 7; }},
      {0, []() -> Result<std::uint64_t> { return Error::wrong_key("no").remedy("try another"); }},
      {0, []() -> Result<std::uint64_t> { return Error::conflict("busy"); }},
      {0,
       []() -> Result<std::uint64_t> {
         ::raise(SIGKILL);
         return 0;
       }},
  };
  const auto worked = work_in_children(works, {2, 0, 60s}, {});
  EXPECT_EQ(worked[0].result.value(), 7U);
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
                                 []() -> Result<std::uint64_t> {
                                   while (true) ::pause();
                                 }},
                                {0, []() -> Result<std::uint64_t> { return 7; }}};
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
  const std::vector<Work> works{{0, []() -> Result<std::uint64_t> {
                                   ::raise(SIGINT);
                                   ::raise(SIGTERM);
                                   return 0;
                                 }}};
  EXPECT_TRUE(work_in_children(works, {1, 0, 60s}, {}).front().result);
}

TEST(Workers, OneThatThrowsEndsItsChildAndNothingElse) {
  const pid_t here = ::getpid();
  const std::vector<Work> works{
      {0, []() -> Result<std::uint64_t> { throw std::runtime_error("no memory"); }}};
  EXPECT_EQ(work_in_children(works, {1, 0, 60s}, {}).front().result.error().kind(), ErrorKind::kInternal);
  EXPECT_EQ(::getpid(), here);
}

TEST(Workers, HoldNoDescriptorOfTheParent) {
  const FileDescriptor before(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const FileDescriptor far(::fcntl(before.get(), F_DUPFD_CLOEXEC, 200));
  const std::vector<Work> works{{0, [&]() -> Result<std::uint64_t> {
                                   return (::fcntl(before.get(), F_GETFD) >= 0 ? 1U : 0U) +
                                          (::fcntl(far.get(), F_GETFD) >= 0 ? 2U : 0U);
                                 }}};
  EXPECT_EQ(work_in_children(works, {1, 0, 60s}, {}).front().result.value(), 0U);
}

/// Runs a program that has one child at work for ever, does `harm` to the program, and says whether the child
/// ends.
bool child_ends_after(int harm, std::chrono::milliseconds limit) {
  auto* shared = Shared::make();
  const pid_t program = ::fork();
  if (program == 0) {
    const Work forever{0, [shared]() -> Result<std::uint64_t> {
                         shared->begun = ::getpid();
                         shared->running = 1;
                         while (true) ::pause();
                       }};
    work_in_children({forever}, {1, 0, limit}, {});
    ::_exit(0);
  }
  while (shared->running == 0) ::usleep(1000);
  const FileDescriptor child(static_cast<int>(::syscall(SYS_pidfd_open, shared->begun.load(), 0U)));
  ::kill(program, harm);
  pollfd ended{child.get(), POLLIN, 0};
  const bool has_ended = ::poll(&ended, 1, 30'000) == 1;
  ::kill(program, SIGKILL);
  ::waitpid(program, nullptr, 0);
  return has_ended;
}

TEST(Workers, NoneOutlivesAParentThatIsKilled) { EXPECT_TRUE(child_ends_after(SIGKILL, 600s)); }

TEST(Workers, NoneOutlivesItsLimitThoughTheParentSleeps) { EXPECT_TRUE(child_ends_after(SIGSTOP, 500ms)); }

}  // namespace
}  // namespace zkv::unlock
