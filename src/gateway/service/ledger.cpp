// Group commit: the commands that gather while one transaction is written go into the next one together.
#include "gateway/service/ledger.h"

#include <algorithm>
#include <iterator>

namespace zkv::gateway {
namespace {

/// Bounds how long one transaction lasts.
constexpr std::size_t kLargestGroup = 1'000;

bool is_store_failure(const Error& error) {
  return error.kind() == ErrorKind::kIo || error.kind() == ErrorKind::kCorrupt ||
         error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kInternal;
}

}  // namespace

Ledger::Ledger(Store& store, std::function<void(const Error&)> on_failure)
    : store_(store), on_failure_(std::move(on_failure)) {}

Ledger::~Ledger() { end_thread(); }

void Ledger::start(Clockwork clockwork) {
  clockwork_ = std::move(clockwork);
  thread_ = std::thread([this] { work(); });
}

void Ledger::submit(Command command) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      queue_.push_back(std::move(command));
      changed_.notify_one();
      return;
    }
  }
  command.finish(Error::interrupted("the gateway is stopping").remedy("try again when it has started anew"));
}

void Ledger::close(Command last) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) queue_.push_back(std::move(last));
    closed_ = true;
  }
  end_thread();
}

void Ledger::end_thread() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Ledger::work() {
  while (auto group = next_group()) commit(*group);
}

std::optional<Ledger::Group> Ledger::next_group() {
  const auto due_at = clockwork_.next();
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return closed_ || !queue_.empty(); };
  if (due_at) {
    changed_.wait_until(lock, *due_at, ready);
  } else {
    changed_.wait(lock, ready);
  }
  if (closed_ && queue_.empty()) return std::nullopt;
  Group group;
  const auto last = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kLargestGroup));
  std::move(queue_.begin(), last, std::back_inserter(group));
  queue_.erase(queue_.begin(), last);
  lock.unlock();
  if (const auto time = now(); due_at && time >= *due_at) group.push_back(clockwork_.due(time));
  return group;
}

void Ledger::commit(Group& group) {
  std::vector<Result<>> outcomes;
  outcomes.reserve(group.size());
  const Result<> committed = store_.transaction([&]() -> Result<> {
    for (const auto& command : group) outcomes.push_back(store_.transaction(command.run));
    return {};
  });
  if (!committed) outcomes.assign(group.size(), committed);
  report(committed);
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (committed) report(outcomes[i]);
    group[i].finish(outcomes[i]);
  }
}

void Ledger::report(const Result<>& outcome) const {
  if (!outcome && on_failure_ && is_store_failure(outcome.error())) on_failure_(outcome.error());
}

}  // namespace zkv::gateway
