// A signalfd and a thread that waits on it; an eventfd ends that thread.
#include "host/stop_on_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace zkv::host {

namespace {

sigset_t stopping_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  struct sigaction hang_up {};
  // Who is told to outlive its terminal (nohup) does.
  const bool is_ignored = ::sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler == SIG_IGN;
  if (!is_ignored) ::sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

StopOnSignal::StopOnSignal() {
  const sigset_t set = stopping_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  signals_ = FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  wake_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC));
  watcher_ = std::jthread([this](const std::stop_token& done) { watch(done); });
}

StopOnSignal::~StopOnSignal() {
  watcher_.request_stop();
  const std::uint64_t one = 1;
  while (::write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  watcher_.join();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void StopOnSignal::watch(const std::stop_token& done) {
  while (!done.stop_requested()) {
    std::array<pollfd, 2> watched{{{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
    const int number = static_cast<int>(info.ssi_signo);
    if (signal_.exchange(number) == 0) {
      source_.request_stop();
      continue;
    }
    // A person who insists gets what the signal does by itself: the end of the process.
    const sigset_t set = stopping_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    static_cast<void>(::raise(number));
  }
}

}  // namespace zkv::host
