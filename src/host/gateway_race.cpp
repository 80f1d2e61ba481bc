// One thread for each gateway, one referee.
#include "host/gateway_race.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace zkv::host {

namespace {

/// Collects what the gateways' threads end with.
class Referee {
 public:
  explicit Referee(std::size_t runners) : running_(runners) {}

  void hear(Result<SecretBytes> result) {
    const std::lock_guard lock(mutex_);
    --running_;
    if (!best_ || rank(result) > rank(*best_)) best_ = std::move(result);
    changed_.notify_all();
  }

  /// Waits until nothing better can come.
  void wait_for_decision() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return running_ == 0 || (best_ && rank(*best_) >= kDecisive); });
  }

  Result<SecretBytes> take() {
    const std::lock_guard lock(mutex_);
    return std::move(*best_);
  }

 private:
  static constexpr int kDecisive = 8;

  /// A key before a person's no, a no before all that leaves it open.
  static int rank(const Result<SecretBytes>& result) {
    if (result) return 9;
    switch (result.error().kind()) {
      case ErrorKind::kDenied:
        return kDecisive;
      case ErrorKind::kPending:
        return 5;
      case ErrorKind::kCorrupt:
        return 4;
      case ErrorKind::kUnavailable:
        return 3;
      case ErrorKind::kInterrupted:
        return 1;
      default:
        return 2;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_;
  std::optional<Result<SecretBytes>> best_;
};

}  // namespace

Result<SecretBytes> ask_gateways(const std::vector<std::string>& addresses, const AskOptions& options,
                                 const Exchange& exchange, const std::stop_token& stop) {
  if (addresses.empty()) {
    return Error::invalid("no gateway is named").remedy("give its address, or set GATEWAY_URI");
  }
  const SecretBytes token = make_token();
  Referee referee(addresses.size());
  std::mutex speaking;
  AskOptions shared = options;
  if (options.say) {
    shared.say = [&](const std::string& line) {
      const std::lock_guard lock(speaking);
      options.say(line);
    };
  }
  std::stop_source stop_all;
  const std::stop_callback forward(stop, [&] { stop_all.request_stop(); });
  std::vector<std::jthread> runners;
  runners.reserve(addresses.size());
  for (const auto& address : addresses) {
    runners.emplace_back([&, token_of_stop = stop_all.get_token()] {
      referee.hear(ask_gateway(address, token, shared, exchange, token_of_stop));
    });
  }
  referee.wait_for_decision();
  stop_all.request_stop();
  runners.clear();
  if (stop.stop_requested()) {
    auto result = referee.take();
    if (result) return result;
    return Error::interrupted("stopped before there was a key");
  }
  return referee.take();
}

}  // namespace zkv::host
