// Carries letters on a few threads of its own: those of one person never stand in the way of another's, news
// never in that of a request, and waiting to try again takes no thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/time.h"
#include "gateway/channel/push_sender.h"

namespace zkv::gateway {

class PushCourier {
 public:
  static constexpr std::size_t kThreads = 8;
  static constexpr std::size_t kMostNews = 4;         ///< at once; the other threads are for requests
  static constexpr std::size_t kMostAtOnce = 2;       ///< for one approver, of requests and of news
  static constexpr std::size_t kMostWaiting = 1'000;  ///< likewise; beyond, letters are refused

  struct Hands {
    std::function<PushAnswer(const PushLetter&, const std::stop_token&)> send;
    /// Asked before a letter is sent that has waited a second or more.
    std::function<bool(const PushLetter&)> still_wants;
  };
  /// Told once of each letter, on one of the threads or within submit().
  using Done = std::function<void(const PushLetter&, const PushAnswer&)>;

  explicit PushCourier(Hands hands) : hands_(std::move(hands)) {}
  PushCourier(const PushCourier&) = delete;
  PushCourier& operator=(const PushCourier&) = delete;
  ~PushCourier() { close(); }

  /// Threads start with the first letter. A letter whose service says "later" is tried again, as it says or
  /// after 1, 2, 4 … 60 s, while the letter lives; then its last answer stands.
  void submit(PushLetter letter, Done done);
  /// Ends what runs, forgets what waits (nobody is told of that), and joins the threads.
  void close();

 private:
  struct Errand {
    PushLetter letter;
    Done done;
    Time wanted_at;  ///< when it was last known to be wanted
    unsigned tries = 0;
  };
  /// Whether it is news, as opposed to a request; and the approver.
  using LaneName = std::pair<bool, std::string>;
  /// Letters by when they are due.
  struct Lane {
    std::multimap<Time, Errand> waiting;
    std::size_t running = 0;
  };
  using Lanes = std::map<LaneName, Lane>;

  void work();
  /// The lane whose next letter may be taken: a request that is due, or else news that are, or else what is
  /// due first; end() when there is none.
  Lanes::iterator next_lane();
  void carry(std::unique_lock<std::mutex>& lock, Lanes::iterator lane);
  PushAnswer attempt(Errand& errand);
  static LaneName lane_of(const PushLetter& letter) {
    return {letter.request.text.empty(), letter.to.approver};
  }
  static std::optional<Time> next_try(const Errand& errand, const PushAnswer& answer);

  Hands hands_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_closed_ = false;
  Lanes lanes_;
  std::size_t news_running_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace zkv::gateway
