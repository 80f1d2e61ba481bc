// sd_notify of libsystemd, loaded at first use so that commands in a terminal do not pay for it.
#include "host/service_notify.h"

#include <dlfcn.h>

#include <cstdlib>
#include <memory>

#include "base/plain_text.h"

namespace zkv::host {

namespace {

bool has_manager() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

void notify_manager(const std::string& assignment) {
  if (!has_manager()) return;
  struct Close {
    void operator()(void* library) const { ::dlclose(library); }
  };
  // RTLD_NODELETE: loading it costs more than all that is done with it, and there is more to say soon.
  const std::unique_ptr<void, Close> library(
      ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
  if (library == nullptr) return;
  const auto notify = reinterpret_cast<int (*)(int, const char*)>(::dlsym(library.get(), "sd_notify"));
  if (notify != nullptr) notify(0, assignment.c_str());
}

}  // namespace

void notify_status(const std::string& line) { notify_manager("STATUS=" + plain_text(line)); }

void notify_longer(std::chrono::milliseconds time) {
  notify_manager("EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds(time).count()));
}

void notify_ready() { notify_manager("READY=1"); }

void StatusClock::say(const std::string& line) {
  if (!has_manager()) return;
  const std::lock_guard lock(mutex_);
  line_ = line;
  since_ = std::chrono::steady_clock::now();
  notify_status(line);
  changed_.notify_all();
  if (!ticking_.joinable()) ticking_ = std::jthread([this](const std::stop_token& stop) { tick(stop); });
}

void StatusClock::tick(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  auto since = since_;
  for (auto minutes = 1; !stop.stop_requested(); ++minutes) {
    changed_.wait_until(lock, stop, since + minutes * minute_, [&] { return since_ != since; });
    if (stop.stop_requested()) return;
    if (since_ != since) {
      since = since_;
      minutes = 0;
    } else {
      notify_status(line_ + ", " + std::to_string(minutes) + " min");
    }
  }
}

}  // namespace zkv::host
