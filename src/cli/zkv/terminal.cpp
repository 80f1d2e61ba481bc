// Prompts on /dev/tty. Signals are held back while echo is off, and let through once it is on again.
#include "terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/file.h"

namespace zkv::cli {

namespace {

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&signals, number);
  return signals;
}

/// While this lives, the signals that would end or stop the program wait.
class HeldSignals {
 public:
  HeldSignals() {
    const sigset_t signals = ending_signals();
    sigprocmask(SIG_BLOCK, &signals, &before_);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// While this lives, the terminal does not show what is typed, unless it is to.
class SilentTerminal {
 public:
  SilentTerminal(int fd, Echo echo) : fd_(fd) {
    if (echo == Echo::kOn || ::tcgetattr(fd_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    changed_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  ~SilentTerminal() {
    if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

enum class Woken { kByInput, kBySignal, kByError };

Woken wait_for_input(int terminal, int signals) {
  std::array<pollfd, 2> watched{pollfd{terminal, POLLIN, 0}, pollfd{signals, POLLIN, 0}};
  while (::poll(watched.data(), watched.size(), -1) < 0) {
    if (errno != EINTR) return Woken::kByError;
  }
  return watched[1].revents != 0 ? Woken::kBySignal : Woken::kByInput;
}

/// A line without its end; nothing when a signal came first. The question is shown once echo is off, so that
/// no answer to it can be seen, or lost with what was typed before it.
Result<std::optional<SecretBytes>> ask_once(int terminal, const std::string& prompt, Echo echo) {
  const HeldSignals held;
  const sigset_t signals = ending_signals();
  const FileDescriptor signal_fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  const SilentTerminal silent(terminal, echo);
  if (::write(terminal, prompt.data(), prompt.size()) < 0) {
    return Error::system("writing to the terminal", errno);
  }
  const Woken woken = wait_for_input(terminal, signal_fd.get());
  if (woken == Woken::kBySignal) return std::optional<SecretBytes>();
  if (woken == Woken::kByError) return Error::system("waiting for the terminal", errno);
  SecretBytes line(4096);
  const ssize_t got = ::read(terminal, line.data(), line.size());
  if (got < 0) return Error::system("reading the terminal", errno);
  if (got == 0) return Error::invalid("no key was typed");
  line.truncate(static_cast<std::size_t>(got));
  if (line.view().ends_with('\n')) line.truncate(line.size() - 1);
  return std::optional<SecretBytes>(std::move(line));
}

}  // namespace

bool has_terminal() { return FileDescriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).is_open(); }

Result<SecretBytes> ask_for_line(const std::string& question, Echo echo) {
  const FileDescriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.is_open()) {
    return Error::invalid("there is no terminal to ask for a key on")
        .remedy("give it by --key-file FILE, or by standard input with '-k -'");
  }
  std::optional<SecretBytes> line;
  while (!line) {  // a signal that stops the program and lets it go on leads back to the question
    ZKV_TRY(line, ask_once(terminal.get(), question + ": ", echo));
  }
  return std::move(*line);
}

struct Hush::State {
  HeldSignals held;
  FileDescriptor terminal{::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)};
  SilentTerminal silent{terminal.get(), Echo::kOff};
};

Hush::Hush() : state_(std::make_unique<State>()) {}
Hush::~Hush() = default;

void tell(const std::string& line) {
  const FileDescriptor terminal(::open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC));
  const std::string whole = line + "\n";
  if (terminal.is_open()) static_cast<void>(!::write(terminal.get(), whole.data(), whole.size()));
}

Result<SecretBytes> ask_for_secret(const std::string& question) {
  ZKV_TRY(auto line, ask_for_line(question, Echo::kOff));
  if (line.empty()) return Error::invalid("no key was typed");
  return line;
}

Result<SecretBytes> ask_for_new_secret(const std::string& question) {
  ZKV_TRY(auto first, ask_for_secret(question));
  ZKV_TRY(const auto second, ask_for_secret(question + ", once more"));
  if (!equal_in_constant_time(first.span(), second.span())) {
    return Error::invalid("the two differ; nothing was changed");
  }
  return first;
}

}  // namespace zkv::cli
