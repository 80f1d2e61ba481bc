// dlopen, and the short-lived children in which libzfs_core does its work.
#include "unlock/zfs_core.h"

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "unlock/bound_child.h"
#include "unlock/loaded_library.h"

namespace zkv::unlock {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kCallsWorthAChild = 8;
constexpr std::size_t kMostChildren = 16;

/// One answer on its way through the pipe.
struct Record {
  std::int64_t which;  ///< call; kStart for what is before the first
  std::int64_t error_number;
  std::int64_t microseconds;
};
static_assert(sizeof(Record) <= PIPE_BUF);
constexpr std::int64_t kStart = -1;

void send(int fd, Record record) {
  while (::write(fd, &record, sizeof record) < 0 && errno == EINTR) {
  }
}

/// What children are to do: begin, and then one call for each of `count` entries.
struct Calls {
  std::function<int()> start;
  std::size_t count;
  std::function<int(std::size_t)> call;
};

/// Numbers from 0 on, each for one of the children that share it with this process.
class Turns {
 public:
  static Result<Turns> make() {
    void* memory = ::mmap(nullptr, sizeof(Next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return Error::system("making memory that children share", errno);
    return Turns(new (memory) Next(0));
  }
  std::size_t take() { return next_->fetch_add(1); }

 private:
  using Next = std::atomic<std::size_t>;
  static_assert(Next::is_always_lock_free, "it is shared by processes");
  struct Unmap {
    void operator()(Next* next) const { ::munmap(next, sizeof(Next)); }
  };
  explicit Turns(Next* next) : next_(next) {}
  std::unique_ptr<Next, Unmap> next_;
};

/// What ends the parent ends this too: a call is a moment, or hangs.
void hear_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// One record for the start, one for each call whose turn it gets.
void call_and_tell(int fd, const Calls& calls, Turns& turns) {
  hear_signals();
  const int failed = calls.start();
  send(fd, {kStart, failed, 0});
  if (failed != 0) return;
  for (std::size_t i = turns.take(); i < calls.count; i = turns.take()) {
    const auto begin = Steady::now();
    const int error_number = calls.call(i);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begin);
    send(fd, {static_cast<std::int64_t>(i), error_number, took.count()});
  }
}

/// Reads records until the pipe's end or the deadline; false at the deadline.
Result<bool> collect(int fd, Steady::time_point deadline, std::vector<Record>& records) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    pollfd watched{fd, POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (ready == 0) return false;
    if (ready < 0 && errno == EINTR) continue;
    Record record{};
    const ssize_t got = ready < 0 ? -1 : ::read(fd, &record, sizeof record);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::system("waiting for libzfs_core", errno);
    if (got != sizeof record) return true;
    records.push_back(record);
  }
}

std::size_t children_for(std::size_t calls) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(calls / kCallsWorthAChild, 1, std::min(cores, kMostChildren));
}

/// Calls, each made by the child that is free for it. What one child could not do stops no other.
class CallRound {
 public:
  CallRound(Calls calls, std::chrono::milliseconds limit)
      : calls_(std::move(calls)), limit_(limit), answers_(calls_.count, {ECANCELED, {}}) {}

  /// Where the machine has no room for so many children at once, those that it has do all.
  Result<std::vector<ZfsCore::Answer>> run(std::size_t most_children) {
    ZKV_TRY(auto turns, Turns::make());
    std::vector<BoundChild> children;
    while (children.size() < most_children) {
      auto child = BoundChild::start([&](int answer) { call_and_tell(answer, calls_, turns); }, limit_);
      if (!child) {
        keep(std::move(child).error());
        break;
      }
      children.push_back(std::move(*child));
    }
    for (auto& child : children) finish(child);
    if (!has_any_begun_ && error_) return std::move(*error_);
    return std::move(answers_);
  }

 private:
  /// Waits for its end and puts its answers where they belong.
  void finish(BoundChild& child) {
    std::vector<Record> records;
    const auto is_complete = collect(child.answer(), deadline_, records);
    child.end(!is_complete || !*is_complete);
    if (!is_complete) return keep(is_complete.error());
    if (records.empty() && !*is_complete) return keep(Error::unavailable("ZFS did not answer in time"));
    if (records.empty() || records[0].error_number != 0) {
      const int error_number = records.empty() ? ECANCELED : static_cast<int>(records[0].error_number);
      return keep(
          Error::unsupported("ZFS is not there (/dev/zfs): " + Error::system("", error_number).message()));
    }
    has_any_begun_ = true;
    if (!*is_complete) leave_to_time();
    for (auto record = records.begin() + 1; record != records.end(); ++record) {
      answers_[static_cast<std::size_t>(record->which)] = {static_cast<int>(record->error_number),
                                                           std::chrono::microseconds(record->microseconds)};
    }
  }

  /// Once the deadline has passed, no call gets an answer any more.
  void leave_to_time() {
    for (auto& answer : answers_) {
      if (answer.error_number == ECANCELED) answer.error_number = ETIMEDOUT;
    }
  }

  void keep(Error error) {
    if (!error_) error_ = std::move(error);
  }

  Calls calls_;
  std::chrono::milliseconds limit_;
  Steady::time_point deadline_ = Steady::now() + limit_;
  std::vector<ZfsCore::Answer> answers_;
  std::optional<Error> error_;
  bool has_any_begun_ = false;
};

}  // namespace

Result<ZfsCore> ZfsCore::load(const std::vector<std::string>& libraries) {
  for (const auto& name : libraries) {
    auto library = load_library(name);
    if (library == nullptr) continue;
    Functions functions;
    if (find_in_library(library.get(), "libzfs_core_init", functions.init) &&
        find_in_library(library.get(), "lzc_load_key", functions.load_key) &&
        find_in_library(library.get(), "lzc_unload_key", functions.unload_key)) {
      return ZfsCore(std::move(library), functions);
    }
  }
  return Error::unsupported("libzfs_core is not installed").remedy("install zfsutils-linux");
}

Result<std::vector<ZfsCore::Answer>> ZfsCore::load_keys(const std::vector<Entry>& entries, bool only_check,
                                                        std::chrono::milliseconds limit) const {
  const auto load = [&](std::size_t i) {
    // lzc_load_key takes the key without const, but only reads it.
    return functions_.load_key(entries[i].name.c_str(), only_check ? 1 : 0,
                               const_cast<std::uint8_t*>(entries[i].wrapping_key.data()),
                               static_cast<unsigned>(entries[i].wrapping_key.size()));
  };
  return CallRound({functions_.init, entries.size(), load}, limit).run(children_for(entries.size()));
}

Result<std::vector<ZfsCore::Answer>> ZfsCore::unload_keys(const std::vector<Entry>& entries,
                                                          std::chrono::milliseconds limit) const {
  const auto unload = [&](std::size_t i) { return functions_.unload_key(entries[i].name.c_str()); };
  return CallRound({functions_.init, entries.size(), unload}, limit).run(1);
}

}  // namespace zkv::unlock
