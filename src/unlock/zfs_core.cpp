// dlopen, and the short-lived child in which libzfs_core does its work.
#include "unlock/zfs_core.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <functional>

#include "base/file.h"

namespace zkv::unlock {

namespace {

using Steady = std::chrono::steady_clock;

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

/// The child's life: signals as in any ordinary program, one record for the start, one for each call.
[[noreturn]] void work_in_child(int fd, const std::function<int()>& start, std::size_t count,
                                const std::function<int(std::size_t)>& call) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int failed = start();
  send(fd, {failed, 0});
  for (std::size_t i = 0; failed == 0 && i < count; ++i) {
    const auto begin = Steady::now();
    const int error_number = call(i);
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

Result<std::vector<ZfsCore::Answer>> call_in_child(const std::function<int()>& start, std::size_t count,
                                                   std::chrono::milliseconds limit,
                                                   const std::function<int(std::size_t)>& call) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::system("making a pipe", errno);
  FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return Error::system("starting a child", errno);
  if (pid == 0) work_in_child(write_end.get(), start, count, call);
  write_end = FileDescriptor();

  std::vector<Record> records;
  auto is_complete = collect(read_end.get(), Steady::now() + limit, records);
  end_child(pid, !is_complete || !*is_complete);
  if (!is_complete) return std::move(is_complete).error();
  if (records.empty() || records[0].error_number != 0) {
    const int error_number = records.empty() ? ECANCELED : static_cast<int>(records[0].error_number);
    return Error::unsupported("ZFS is not there (/dev/zfs): " + Error::system("", error_number).message());
  }
  std::vector<ZfsCore::Answer> answers(count, {*is_complete ? ECANCELED : ETIMEDOUT, {}});
  for (std::size_t i = 1; i < records.size(); ++i) {
    answers[i - 1] = {static_cast<int>(records[i].error_number),
                      std::chrono::microseconds(records[i].microseconds)};
  }
  return answers;
}

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<ZfsCore> ZfsCore::load(const std::vector<std::string>& libraries) {
  for (const auto& name : libraries) {
    std::shared_ptr<void> library(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* handle) {
      if (handle != nullptr) ::dlclose(handle);
    });
    if (library == nullptr) continue;
    Functions functions;
    if (find(library.get(), "libzfs_core_init", functions.init) &&
        find(library.get(), "lzc_load_key", functions.load_key) &&
        find(library.get(), "lzc_unload_key", functions.unload_key)) {
      return ZfsCore(std::move(library), functions);
    }
  }
  return Error::unsupported("libzfs_core is not installed").remedy("install zfsutils-linux");
}

Result<std::vector<ZfsCore::Answer>> ZfsCore::load_keys(const std::vector<Entry>& entries, bool only_check,
                                                        std::chrono::milliseconds limit) const {
  return call_in_child(functions_.init, entries.size(), limit, [&](std::size_t i) {
    // lzc_load_key takes the key without const, but only reads it.
    return functions_.load_key(entries[i].name.c_str(), only_check ? 1 : 0,
                               const_cast<std::uint8_t*>(entries[i].wrapping_key.data()),
                               static_cast<unsigned>(entries[i].wrapping_key.size()));
  });
}

Result<std::vector<ZfsCore::Answer>> ZfsCore::unload_keys(const std::vector<Entry>& entries,
                                                          std::chrono::milliseconds limit) const {
  return call_in_child(functions_.init, entries.size(), limit,
                       [&](std::size_t i) { return functions_.unload_key(entries[i].name.c_str()); });
}

}  // namespace zkv::unlock
