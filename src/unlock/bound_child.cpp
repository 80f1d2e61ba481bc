// fork, a pipe for the answer, and a pidfd to wait on.
#include "unlock/bound_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "unlock/child_process.h"

namespace zkv::unlock {

namespace {

/// Only the parent hears the signals that end it, and lets the child finish. But no child outlives it: one
/// would keep the repository locked, and might open its device when nobody expects it any more.
void live_with_the_parent(pid_t parent, std::chrono::milliseconds limit) {
  sigset_t ending;
  ::sigemptyset(&ending);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ending, signal);
  ::sigprocmask(SIG_SETMASK, &ending, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(limit).count()) + 1);
}

/// Else a lock that the parent holds would be held until the child ends too.
void close_all_but(int fd) {
  const auto kept = static_cast<unsigned>(fd);
  if (kept > STDERR_FILENO + 1) ::syscall(SYS_close_range, STDERR_FILENO + 1U, kept - 1, 0U);
  ::syscall(SYS_close_range, kept + 1, ~0U, 0U);
}

/// Nothing that is thrown may go on as a second parent.
[[noreturn]] void be_child(int fd, const std::function<void(int)>& work) noexcept {
  try {
    work(fd);
    ::_exit(0);
  } catch (...) {
    ::_exit(1);
  }
}

}  // namespace

BoundChild::BoundChild(pid_t pid, FileDescriptor answer)
    : pid_(pid), process_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))), answer_(std::move(answer)) {}

BoundChild::BoundChild(BoundChild&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      process_(std::move(other.process_)),
      answer_(std::move(other.answer_)) {}

BoundChild& BoundChild::operator=(BoundChild&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(process_, other.process_);
  std::swap(answer_, other.answer_);
  return *this;
}

BoundChild::~BoundChild() {
  if (pid_ != 0) end(true);
}

Result<BoundChild> BoundChild::start(const std::function<void(int)>& work, std::chrono::milliseconds limit) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::system("making a pipe", errno);
  FileDescriptor read_end(ends[0]);
  const FileDescriptor write_end(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Error::system("starting a child", errno);
  if (pid == 0) {
    live_with_the_parent(parent, limit);
    close_all_but(write_end.get());
    be_child(write_end.get(), work);
  }
  return BoundChild(pid, std::move(read_end));
}

void BoundChild::end(bool kill_it) {
  const pid_t pid = std::exchange(pid_, 0);
  if (kill_it) ::kill(pid, SIGKILL);
  bury(pid, process_.get());
}

}  // namespace zkv::unlock
