// fork, and a pipe for the answer.
#include "unlock/worker_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

namespace zkv::unlock {

namespace {

constexpr std::size_t kLongestAnswer = 4096;  // PIPE_BUF: one write that no reader sees halved
constexpr char kDone = '+';
constexpr int kPatience = 3000;  // milliseconds for a killed child to end

/// As text: '+' and the number, or a letter for the kind of error and then message and remedy with a zero
/// between them.
std::string answer_text(const Result<std::uint64_t>& result) {
  if (result) return kDone + std::to_string(*result);
  const Error& error = result.error();
  std::string text(1, static_cast<char>('A' + static_cast<int>(error.kind())));
  text += error.message() + '\0' + error.remedy();
  return text.substr(0, kLongestAnswer);
}

Result<std::uint64_t> read_answer(const std::string& text) {
  if (text.empty()) return Error::internal("the process that opened it died");
  if (text.front() == kDone) {
    std::uint64_t number = 0;
    std::from_chars(text.data() + 1, text.data() + text.size(), number);
    return number;
  }
  const auto end = text.find('\0');
  Error error(static_cast<ErrorKind>(text.front() - 'A'), text.substr(1, end - 1));
  if (end == std::string::npos || end + 1 == text.size()) return error;
  return std::move(error).remedy(text.substr(end + 1));
}

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
[[noreturn]] void be_child(int fd, const Work& work) noexcept {
  try {
    const std::string text = answer_text(work.run());
    while (::write(fd, text.data(), text.size()) < 0 && errno == EINTR) {
    }
    ::_exit(0);
  } catch (...) {
    ::_exit(1);
  }
}

}  // namespace

WorkerChild::WorkerChild(pid_t pid, FileDescriptor answer)
    : pid_(pid),
      process_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))),
      answer_(std::move(answer)),
      begun_(std::chrono::steady_clock::now()) {}

Result<WorkerChild> WorkerChild::start(const Work& work, std::chrono::milliseconds limit) {
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
  return WorkerChild(pid, std::move(read_end));
}

bool WorkerChild::listen() {
  std::array<char, kLongestAnswer> chunk{};
  const ssize_t got = ::read(answer_.get(), chunk.data(), chunk.size());
  if (got > 0) text_.append(chunk.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

Result<std::uint64_t> WorkerChild::result() const { return read_answer(text_); }

void WorkerChild::end(bool kill_it) const {
  if (kill_it) ::kill(pid_, SIGKILL);
  pollfd ended{process_.get(), POLLIN, 0};
  while (::poll(&ended, 1, kPatience) < 0 && errno == EINTR) {
  }
  ::waitpid(pid_, nullptr, WNOHANG);
}

}  // namespace zkv::unlock
