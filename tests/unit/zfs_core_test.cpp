// What becomes of many keys where the machine has no room for the processes that load them, or one hangs.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "fake_zfs.h"
#include "unlock/zfs_core.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobodyElse = 54'321;  // no other process of this user counts against its limit
constexpr std::size_t kKeys = 16;
const std::string kHex(64, 'a');

class FewProcesses : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root becomes somebody whose processes are few";
    if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one core loads with one process";
    for (std::size_t i = 0; i < kKeys; ++i) zfs_.add_root(name(i), kHex);
    const fs::path folder = fs::path(zfs_.options().program).parent_path();
    fs::permissions(folder, fs::perms::all);
    for (const auto& entry : fs::recursive_directory_iterator(folder)) fs::permissions(entry, fs::perms::all);
  }

  static std::string name(std::size_t i) { return "tank" + std::to_string(i); }

  /// What a process says that may have `most` processes, itself among them.
  template <class Work>
  static int with_processes(rlim_t most, const Work& work) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const rlimit limit{most, most};
      const bool is_set =
          ::setrlimit(RLIMIT_NPROC, &limit) == 0 && ::setresuid(kNobodyElse, kNobodyElse, kNobodyElse) == 0;
      ::_exit(is_set ? work() : -1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  Result<std::vector<ZfsCore::Answer>> load(std::chrono::seconds limit = std::chrono::seconds(60)) {
    const std::vector<std::uint8_t> key(32, 0xaa);
    std::vector<ZfsCore::Entry> entries;
    for (std::size_t i = 0; i < kKeys; ++i) entries.push_back({name(i), key});
    const auto core = ZfsCore::load(zfs_.options().libraries);
    return core ? core->load_keys(entries, false, limit) : tl::unexpected(core.error());
  }

  test::FakeZfs zfs_;
};

TEST_F(FewProcesses, WhatTheSecondProcessWasToLoadTheFirstLoads) {
  const int loaded = with_processes(2, [&] {
    const auto answers = load();
    if (!answers) return 100;
    return static_cast<int>(
        std::ranges::count_if(*answers, [](const auto& answer) { return answer.error_number == 0; }));
  });
  EXPECT_EQ(loaded, kKeys);
  for (std::size_t i = 0; i < kKeys; ++i) EXPECT_EQ(zfs_.get(name(i), "keystatus"), "available");
}

TEST_F(FewProcesses, AKeyOnWhichOneHangsIsTheOnlyOneThatIsNotLoaded) {
  zfs_.set(name(0), "hang", "");
  const auto answers = load(std::chrono::seconds(5));
  ASSERT_TRUE(answers);
  EXPECT_EQ(answers->front().error_number, ETIMEDOUT);
  EXPECT_EQ(std::ranges::count(*answers, 0, &ZfsCore::Answer::error_number), kKeys - 1);
}

TEST_F(FewProcesses, WithoutAnyProcessItIsSaidThatNoneCanBeStarted) {
  const int kind = with_processes(1, [&] {
    const auto answers = load();
    return answers ? 100 : static_cast<int>(answers.error().kind());
  });
  EXPECT_EQ(kind, static_cast<int>(ErrorKind::kIo));
}

}  // namespace
}  // namespace zkv::unlock
