// A thread that ends by itself.
#include "unlock/preparation.h"

#include <csignal>
#include <filesystem>
#include <new>
#include <system_error>

namespace zkv::unlock {

namespace {

/// While this lives, threads are begun that take no signals.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

Preparation::Preparation(const ZfsOptions& options) {
  std::error_code failed;
  const bool has_zfs = std::filesystem::exists(options.devices / "zfs", failed);
  if (options.road == Road::kProgram || !has_zfs) return;
  const SignalsBlocked blocked;
  try {
    thread_ = std::jthread([this, options] { load(options); });
  } catch (const std::system_error&) {
    return;
  }
}

void Preparation::await() {
  if (thread_.joinable()) thread_.join();
}

void Preparation::load(const ZfsOptions& options) noexcept {
  try {
    if (auto core = ZfsCore::load(options.libraries)) core_ = std::move(*core);
  } catch (const std::bad_alloc&) {
    core_.reset();
  }
}

}  // namespace zkv::unlock
