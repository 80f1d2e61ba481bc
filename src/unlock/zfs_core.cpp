// dlopen, and the short-lived children in which libzfs_core does its work.
#include "unlock/zfs_core.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "unlock/bound_child.h"
#include "unlock/loaded_library.h"

namespace zkv::unlock {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kCallsWorthAChild = 8;
constexpr std::size_t kMostChildren = 16;

/// One answer on its way through the pipe.
struct Record {
  std::int64_t error_number;
  std::int64_t microseconds;
};
static_assert(sizeof(Record) <= PIPE_BUF);

void send(int fd, Record record) {
  while (::write(fd, &record, sizeof record) < 0 && errno == EINTR) {
  }
}

/// What children are to do: begin, and then one call for each of `count` entries.
struct Calls {
  std::function<int()> start;
  std::size_t count;
  std::function<int(std::size_t)> call;
};

/// The entries of one child: every `step`-th from `first` on.
struct Share {
  std::size_t first;
  std::size_t step;
};

/// What ends the parent ends this too: a call is a moment, or hangs.
void hear_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// One record for the start, one for each call.
void call_and_tell(int fd, const Calls& calls, Share share) {
  hear_signals();
  const int failed = calls.start();
  send(fd, {failed, 0});
  for (std::size_t i = share.first; failed == 0 && i < calls.count; i += share.step) {
    const auto begin = Steady::now();
    const int error_number = calls.call(i);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begin);
    send(fd, {error_number, took.count()});
  }
}

/// Reads records until the pipe's end or the deadline; false at the deadline.
Result<bool> collect(int fd, Steady::time_point deadline, std::vector<Record>& records) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    pollfd watched{fd, POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (ready == 0) return false;
    if (ready < 0 && errno == EINTR) continue;
    Record record{};
    const ssize_t got = ready < 0 ? -1 : ::read(fd, &record, sizeof record);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::system("waiting for libzfs_core", errno);
    if (got != sizeof record) return true;
    records.push_back(record);
  }
}

/// A child at work on its share.
struct Caller {
  BoundChild child;
  Share share;

  static Result<Caller> start(const Calls& calls, Share share, std::chrono::milliseconds limit) {
    const auto work = [&](int answer) { call_and_tell(answer, calls, share); };
    ZKV_TRY(auto child, BoundChild::start(work, limit));
    return Caller{std::move(child), share};
  }

  /// Waits for its end and puts its answers where they belong. Errors: kIo, kUnsupported (it did not begin),
  /// kUnavailable (nor did it say so before the deadline).
  Result<> finish(Steady::time_point deadline, std::vector<ZfsCore::Answer>& answers) {
    std::vector<Record> records;
    const auto is_complete = collect(child.answer(), deadline, records);
    child.end(!is_complete || !*is_complete);
    if (!is_complete) return tl::unexpected(is_complete.error());
    if (records.empty() && !*is_complete) return Error::unavailable("ZFS did not answer in time");
    if (records.empty() || records[0].error_number != 0) {
      const int error_number = records.empty() ? ECANCELED : static_cast<int>(records[0].error_number);
      return Error::unsupported("ZFS is not there (/dev/zfs): " + Error::system("", error_number).message());
    }
    for (std::size_t place = share.first, i = 1; place < answers.size(); place += share.step, ++i) {
      answers[place] = i < records.size()
                           ? ZfsCore::Answer{static_cast<int>(records[i].error_number),
                                             std::chrono::microseconds(records[i].microseconds)}
                           : ZfsCore::Answer{*is_complete ? ECANCELED : ETIMEDOUT, {}};
    }
    return {};
  }
};

std::size_t children_for(std::size_t calls) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(calls / kCallsWorthAChild, 1, std::min(cores, kMostChildren));
}

/// Shares of calls, each made by a child of its own. What one child could not do stops no other.
class CallRound {
 public:
  CallRound(Calls calls, std::size_t shares, std::chrono::milliseconds limit)
      : calls_(std::move(calls)), shares_(shares), limit_(limit), answers_(calls_.count, {EAGAIN, {}}) {}

  /// Where the machine has no room for so many children at once, the rest come after those that it had.
  Result<std::vector<ZfsCore::Answer>> run() {
    std::size_t first = 0;
    std::vector<Caller> callers;
    for (; first < shares_; ++first) {
      auto caller = begin(first);
      if (!caller) break;
      callers.push_back(std::move(*caller));
    }
    for (auto& caller : callers) finish(caller);
    for (; first < shares_; ++first) {
      if (auto caller = begin(first)) finish(*caller);
    }
    if (!is_any_done_ && error_) return std::move(*error_);
    return std::move(answers_);
  }

 private:
  std::optional<Caller> begin(std::size_t first) {
    auto caller = Caller::start(calls_, {first, shares_}, limit_);
    if (caller) return std::move(*caller);
    keep(std::move(caller).error());
    return std::nullopt;
  }

  void finish(Caller& caller) {
    auto finished = caller.finish(deadline_, answers_);
    is_any_done_ = is_any_done_ || finished;
    if (!finished) keep(std::move(finished).error());
  }

  void keep(Error error) {
    if (!error_) error_ = std::move(error);
  }

  Calls calls_;
  std::size_t shares_;
  std::chrono::milliseconds limit_;
  Steady::time_point deadline_ = Steady::now() + limit_;
  std::vector<ZfsCore::Answer> answers_;
  std::optional<Error> error_;
  bool is_any_done_ = false;
};

}  // namespace

Result<ZfsCore> ZfsCore::load(const std::vector<std::string>& libraries) {
  for (const auto& name : libraries) {
    auto library = load_library(name);
    if (library == nullptr) continue;
    Functions functions;
    if (find_in_library(library.get(), "libzfs_core_init", functions.init) &&
        find_in_library(library.get(), "lzc_load_key", functions.load_key) &&
        find_in_library(library.get(), "lzc_unload_key", functions.unload_key)) {
      return ZfsCore(std::move(library), functions);
    }
  }
  return Error::unsupported("libzfs_core is not installed").remedy("install zfsutils-linux");
}

Result<std::vector<ZfsCore::Answer>> ZfsCore::load_keys(const std::vector<Entry>& entries, bool only_check,
                                                        std::chrono::milliseconds limit) const {
  const auto load = [&](std::size_t i) {
    // lzc_load_key takes the key without const, but only reads it.
    return functions_.load_key(entries[i].name.c_str(), only_check ? 1 : 0,
                               const_cast<std::uint8_t*>(entries[i].wrapping_key.data()),
                               static_cast<unsigned>(entries[i].wrapping_key.size()));
  };
  return CallRound({functions_.init, entries.size(), load}, children_for(entries.size()), limit).run();
}

Result<std::vector<ZfsCore::Answer>> ZfsCore::unload_keys(const std::vector<Entry>& entries,
                                                          std::chrono::milliseconds limit) const {
  const auto unload = [&](std::size_t i) { return functions_.unload_key(entries[i].name.c_str()); };
  return CallRound({functions_.init, entries.size(), unload}, 1, limit).run();
}

}  // namespace zkv::unlock
