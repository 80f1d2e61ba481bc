// posix_spawn with pipes; pidfd and poll wait for the child, so that nothing sleeps.
#include "unlock/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "base/file.h"
#include "unlock/complaints.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kInputLimit = 4096;  // what a pipe always takes without blocking
constexpr std::size_t kOutputLimit = std::size_t{64} << 20U;
constexpr std::string_view kSystemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;

  static Result<Pipe> make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::system("making a pipe", errno);
    return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  }
};

/// A started child; whoever lets go of it early ends it, and its process group where it leads one.
class Child {
 public:
  Child(pid_t pid, bool leads_group)
      : pid_(pid), leads_group_(leads_group), handle_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(leads_group_ ? -pid_ : pid_, SIGKILL);
    bury(pid_, handle_.get());
  }

  /// Readable once the child has ended.
  [[nodiscard]] int handle() const { return handle_.get(); }

  int exit_code() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_;
  bool leads_group_;
  FileDescriptor handle_;
};

/// Which descriptors the child starts with.
class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  void connect(int fd, int as) { ::posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// No blocked and no ignored signals, whatever this process does with its own; perhaps a process group.
class Attributes {
 public:
  explicit Attributes(bool own_group) {
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    sigset_t ordinary;
    ::sigemptyset(&ordinary);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ordinary, signal);
    ::posix_spawnattr_setsigdefault(&attributes_, &ordinary);
    const int flags =
        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (own_group ? POSIX_SPAWN_SETPGROUP : 0);
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

Result<pid_t> spawn(const Command& command, int in, int out, int err) {
  FileActions actions;
  actions.connect(in, STDIN_FILENO);
  actions.connect(out, STDOUT_FILENO);
  actions.connect(err, STDERR_FILENO);
  std::string program = command.program.string();
  std::vector<std::string> words = command.arguments;
  std::vector<char*> argv{program.data()};
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = command.environment;
  variables.emplace_back("LC_ALL=C");
  variables.push_back("PATH=" + std::string(kSystemPath));
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, program.c_str(), actions.get(),
                                   Attributes(command.leaves_daemons).get(), argv.data(), environment.data());
  if (failed == ENOENT) return Error::not_found("the program " + program + " does not exist");
  if (failed != 0) return Error::system("starting " + program, failed);
  return pid;
}

/// Takes what is there; closes the descriptor at its end.
Result<> take(FileDescriptor& fd, std::string& into) {
  std::array<char, 16'384> chunk{};
  const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
  if (got < 0) return errno == EINTR ? Result<>() : Error::system("reading from a child", errno);
  if (got == 0) fd = FileDescriptor();
  if (into.size() > kOutputLimit) return Error::io("a child prints without end");
  into.append(chunk.data(), static_cast<std::size_t>(got));
  return {};
}

int milliseconds_until(SteadyTime deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 3'600'000));
}

/// Reads both streams to their ends, and then waits for the child's own end, which may come later.
Result<Finished> follow(Child& child, FileDescriptor out, FileDescriptor err, SteadyTime deadline,
                        const std::string& what) {
  Finished finished;
  while (true) {
    const bool is_reading = out.is_open() || err.is_open();
    const int end = is_reading ? -1 : child.handle();
    std::array<pollfd, 3> watched{{{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}, {end, POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), milliseconds_until(deadline));
    if (ready < 0 && errno != EINTR) return Error::system("waiting for " + what, errno);
    if (ready == 0) return Error::unavailable(what + " did not end in time");
    if (ready < 0) continue;
    if (watched[0].revents != 0) ZKV_CHECK(take(out, finished.output));
    if (watched[1].revents != 0) ZKV_CHECK(take(err, finished.errors));
    if (watched[2].revents != 0) break;
  }
  finished.exit_code = child.exit_code();
  return finished;
}

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

void bury(pid_t child, int pidfd) {
  static constexpr int kPatience = 3000;  // milliseconds
  pollfd ended{pidfd, POLLIN, 0};
  while (::poll(&ended, 1, kPatience) < 0 && errno == EINTR) {
  }
  ::waitpid(child, nullptr, WNOHANG);
}

Result<fs::path> find_program(std::string_view program) {
  if (program.find('/') != std::string_view::npos) return fs::path(program);
  const char* path = std::getenv("PATH");
  std::istringstream directories((path == nullptr ? std::string() : std::string(path) + ":") +
                                 std::string(kSystemPath));
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (directory.empty() || directory.front() != '/') continue;
    fs::path candidate = fs::path(directory) / program;
    if (is_program(candidate)) return candidate;
  }
  return Error::not_found("the program '" + std::string(program) + "' is not installed");
}

Result<FileDescriptor> input_of(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > kInputLimit) return Error::invalid("too much input for a program");
  ZKV_TRY(auto pipe, Pipe::make());
  const ssize_t written = ::write(pipe.write_end.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) return Error::system("writing to a pipe", errno);
  return std::move(pipe.read_end);
}

Result<Finished> run(const Command& command) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + command.limit;
  const std::string what = command.program.filename();
  ZKV_TRY(auto in, input_of(command.input));
  if (command.leaves_daemons) {
    ZKV_TRY(const auto complaints, Complaints::make());
    const FileDescriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ZKV_TRY(const pid_t pid, spawn(command, in.get(), nowhere.get(), complaints.fd()));
    Child child(pid, true);
    ZKV_TRY(auto finished, follow(child, {}, {}, deadline, what));
    finished.errors = complaints.text();
    return finished;
  }
  ZKV_TRY(auto out, Pipe::make());
  ZKV_TRY(auto err, Pipe::make());
  ZKV_TRY(const pid_t pid, spawn(command, in.get(), out.write_end.get(), err.write_end.get()));
  Child child(pid, false);
  for (FileDescriptor* of_child : {&in, &out.write_end, &err.write_end}) *of_child = FileDescriptor();
  return follow(child, std::move(out.read_end), std::move(err.read_end), deadline, what);
}

}  // namespace zkv::unlock
