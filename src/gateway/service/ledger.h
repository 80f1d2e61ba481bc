// The one thread that owns the store: takes all commands that are queued, commits them together, then lets
// each one finish.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "gateway/store/store.h"

namespace zkv::gateway {

/// One change. `run` is called on the ledger's thread inside a transaction; when it fails its changes are
/// undone, and those of the other commands stay. `finish` is called after the commit with what came of it:
/// whatever others may see or be told happens there.
struct Command {
  std::function<Result<>()> run;
  std::function<void(const Result<>&)> finish;
};

/// What is due at a time: asked on the ledger's thread only.
struct Clockwork {
  std::function<std::optional<Time>()> next;  ///< when there is something to do, if ever
  std::function<Command(Time now)> due;       ///< what is to be done then
};

class Ledger {
 public:
  Ledger(Store& store, std::function<void(const Error&)> on_failure);
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger();

  void start(Clockwork clockwork);
  /// From any thread. After close() the command is not run, and finishes at once with kInterrupted.
  void submit(Command command);
  /// Runs what is queued and `last` after it, then ends the thread. Not to be called on the ledger's own
  /// thread.
  void close(Command last);

 private:
  using Group = std::vector<Command>;

  void end_thread();
  void work();
  std::optional<Group> next_group();
  void commit(Group& group);
  void report(const Result<>& outcome) const;

  Store& store_;
  std::function<void(const Error&)> on_failure_;
  Clockwork clockwork_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Command> queue_;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace zkv::gateway
