// dlopen, and the short-lived children in which libzfs_core does its work.
#include "unlock/zfs_core.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <thread>
#include <utility>

#include "base/file.h"
#include "unlock/loaded_library.h"

namespace zkv::unlock {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kCallsWorthAChild = 8;
constexpr std::size_t kMostChildren = 16;

/// One answer on its way through the pipe.
struct Record {
  std::int64_t error_number;
  std::int64_t microseconds;
};
static_assert(sizeof(Record) <= PIPE_BUF);

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

/// The entries of one child: every `step`-th from `first` on.
struct Share {
  std::size_t first;
  std::size_t step;
};

/// The child's life: signals as in any ordinary program, one record for the start, one for each call.
[[noreturn]] void work_in_child(int fd, const Calls& calls, Share share) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int failed = calls.start();
  send(fd, {failed, 0});
  for (std::size_t i = share.first; failed == 0 && i < calls.count; i += share.step) {
    const auto begin = Steady::now();
    const int error_number = calls.call(i);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begin);
    send(fd, {error_number, took.count()});
  }
  ::_exit(0);
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

void end_child(pid_t pid, bool kill_it) {
  if (kill_it) ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

class Child {
 public:
  static Result<Child> start(const Calls& calls, Share share) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::system("making a pipe", errno);
    FileDescriptor read_end(ends[0]);
    const FileDescriptor write_end(ends[1]);
    const pid_t pid = ::fork();
    if (pid < 0) return Error::system("starting a child", errno);
    if (pid == 0) work_in_child(write_end.get(), calls, share);
    return Child(pid, std::move(read_end), share);
  }
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), read_end_(std::move(other.read_end_)), share_(other.share_) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ != 0) end_child(pid_, true);
  }

  /// Waits for its end and puts its answers where they belong. Errors: kIo, kUnsupported (it did not begin).
  Result<> finish(Steady::time_point deadline, std::vector<ZfsCore::Answer>& answers) {
    std::vector<Record> records;
    const auto is_complete = collect(read_end_.get(), deadline, records);
    end_child(std::exchange(pid_, 0), !is_complete || !*is_complete);
    if (!is_complete) return tl::unexpected(is_complete.error());
    if (records.empty() || records[0].error_number != 0) {
      const int error_number = records.empty() ? ECANCELED : static_cast<int>(records[0].error_number);
      return Error::unsupported("ZFS is not there (/dev/zfs): " + Error::system("", error_number).message());
    }
    for (std::size_t place = share_.first, i = 1; place < answers.size(); place += share_.step, ++i) {
      answers[place] = i < records.size()
                           ? ZfsCore::Answer{static_cast<int>(records[i].error_number),
                                             std::chrono::microseconds(records[i].microseconds)}
                           : ZfsCore::Answer{*is_complete ? ECANCELED : ETIMEDOUT, {}};
    }
    return {};
  }

 private:
  Child(pid_t pid, FileDescriptor read_end, Share share)
      : pid_(pid), read_end_(std::move(read_end)), share_(share) {}

  pid_t pid_;
  FileDescriptor read_end_;
  Share share_;
};

std::size_t children_for(std::size_t calls) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(calls / kCallsWorthAChild, 1, std::min(cores, kMostChildren));
}

Result<std::vector<ZfsCore::Answer>> call_in_children(const Calls& calls, std::size_t number,
                                                      std::chrono::milliseconds limit) {
  const auto deadline = Steady::now() + limit;
  std::vector<Child> children;
  for (std::size_t first = 0; first < number; ++first) {
    ZKV_TRY(auto child, Child::start(calls, {first, number}));
    children.push_back(std::move(child));
  }
  std::vector<ZfsCore::Answer> answers(calls.count);
  for (auto& child : children) ZKV_CHECK(child.finish(deadline, answers));
  return answers;
}

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
  return call_in_children({functions_.init, entries.size(), load}, children_for(entries.size()), limit);
}

Result<std::vector<ZfsCore::Answer>> ZfsCore::unload_keys(const std::vector<Entry>& entries,
                                                          std::chrono::milliseconds limit) const {
  const auto unload = [&](std::size_t i) { return functions_.unload_key(entries[i].name.c_str()); };
  return call_in_children({functions_.init, entries.size(), unload}, 1, limit);
}

}  // namespace zkv::unlock
