// The pool of idle sessions.
#include "net/session.h"

#include <utility>

namespace zkv::net {

Result<Session> SessionPool::take(const CurlLibrary& curl) {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Session session = std::move(idle_.back());
      idle_.pop_back();
      return session;
    }
  }
  Session fresh(curl.multi_init(), {&curl});
  if (fresh == nullptr) return Error::internal("libcurl cannot start an exchange");
  return fresh;
}

void SessionPool::give_back(Session session) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleLimit) idle_.push_back(std::move(session));
}

}  // namespace zkv::net
