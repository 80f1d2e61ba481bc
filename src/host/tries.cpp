// Try, wait, try again.
#include "host/tries.h"

#include <utility>

#include "crypto/random.h"

namespace zkv::host {

namespace {

/// A wait below it is none.
constexpr std::chrono::seconds kShortestWait{1};

/// How long to wait before each next try.
class Pauses {
 public:
  explicit Pauses(const BackoffOptions& options)
      : without_network_(options.without_network), backoff_(options, crypto::random_below) {}

  std::chrono::milliseconds before_next(const TryAgain& again) {
    if (again.is_without_network) return without_network_;
    if (!again.wait) return backoff_.next();
    if (*again.wait < kShortestWait && std::exchange(has_tried_at_once_, true)) return backoff_.next();
    return *again.wait;
  }

 private:
  std::chrono::milliseconds without_network_;
  Backoff backoff_;
  bool has_tried_at_once_ = false;
};

Error out_of_time(const Tries& tries, const std::string& last_trouble) {
  if (tries.is_pending()) return Error::pending("nobody decided in time").context(tries.address);
  return Error::unavailable("no answer in time; the last trouble was: " + last_trouble)
      .context(tries.address);
}

}  // namespace

Result<SecretBytes> try_until_answered(const Tries& tries, Narrator& narrator, const std::stop_token& stop) {
  Pauses pauses(tries.options.backoff);
  while (true) {
    auto answer = tries.once();
    if (auto* given = std::get_if<KeyGiven>(&answer)) return std::move(given->key);
    if (auto* ended = std::get_if<Ended>(&answer)) {
      if (ended->error.kind() == ErrorKind::kRefused) narrator.trouble(ended->error.message());
      return std::move(ended->error).context(tries.address);
    }
    const auto& again = std::get<TryAgain>(answer);
    if (tries.options.ask_once) return Error::unavailable(again.why).context(tries.address);
    if (is_over(tries.options.deadline)) return out_of_time(tries, again.why);
    const auto pause = pauses.before_next(again);
    narrator.trouble(again.why, pause);
    if (!tries.options.wait(pause, tries.options.deadline, stop)) {
      return Error::interrupted("stopped while waiting");
    }
    if (is_over(tries.options.deadline)) return out_of_time(tries, again.why);
  }
}

}  // namespace zkv::host
