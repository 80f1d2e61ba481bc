// The lanes, and the threads that take from them.
#include "gateway/channel/push_courier.h"

#include <algorithm>
#include <tuple>

namespace zkv::gateway {

namespace {

constexpr std::chrono::seconds kLongestPause{60};
constexpr unsigned kLongestShift = 6;
constexpr std::chrono::seconds kFresh{1};  ///< so long a letter is sent without asking whether it is wanted

}  // namespace

void PushCourier::submit(PushLetter letter, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    auto& lane = lanes_[lane_of(letter)];
    if (lane.waiting.size() < kMostWaiting) {
      lane.waiting.emplace(now(), Errand{std::move(letter), std::move(done), now()});
      while (threads_.size() < kThreads) threads_.emplace_back([this] { work(); });
      changed_.notify_one();
      return;
    }
  }
  done(letter, {PushVerdict::kRefused, "?", "too many messages wait already"});
}

void PushCourier::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    lanes_.clear();
    changed_.notify_all();
  }
  stop_.request_stop();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void PushCourier::work() {
  std::unique_lock lock(mutex_);
  while (!is_closed_) {
    const auto lane = next_lane();
    if (lane == lanes_.end()) {
      changed_.wait(lock);
    } else if (const Time due = lane->second.waiting.begin()->first; due > now()) {
      changed_.wait_until(lock, due);
    } else {
      carry(lock, lane);
    }
  }
}

PushCourier::Lanes::iterator PushCourier::next_lane() {
  const Time at = now();
  auto first = lanes_.end();
  std::tuple<int, Time> first_rank;
  for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane) {
    const bool is_news = lane->first.first;
    const auto& [waiting, running] = lane->second;
    if (waiting.empty() || running >= kMostAtOnce || (is_news && news_running_ >= kMostNews)) continue;
    const Time due = waiting.begin()->first;
    const std::tuple rank(due > at ? 2 : int{is_news}, due);
    if (first != lanes_.end() && rank >= first_rank) continue;
    first = lane;
    first_rank = rank;
  }
  return first;
}

void PushCourier::carry(std::unique_lock<std::mutex>& lock, Lanes::iterator lane) {
  const LaneName name = lane->first;
  auto node = lane->second.waiting.extract(lane->second.waiting.begin());
  ++lane->second.running;
  if (name.first) ++news_running_;
  Errand errand = std::move(node.mapped());
  lock.unlock();
  const auto answer = attempt(errand);
  const auto again = next_try(errand, answer);
  if (!again && !stop_.stop_requested()) errand.done(errand.letter, answer);
  lock.lock();
  if (name.first) --news_running_;
  const auto same = lanes_.find(name);
  if (same == lanes_.end()) return;  // closed meanwhile
  --same->second.running;
  if (again) same->second.waiting.emplace(*again, std::move(errand));
  if (same->second.waiting.empty() && same->second.running == 0) lanes_.erase(same);
  changed_.notify_all();
}

PushAnswer PushCourier::attempt(Errand& errand) {
  if (errand.letter.expires_at <= now()) return {PushVerdict::kDropped, "?", "it came too late"};
  if (now() - errand.wanted_at >= kFresh) {
    if (!hands_.still_wants(errand.letter)) return {PushVerdict::kDropped, "?", "nobody wants it any more"};
    errand.wanted_at = now();
  }
  ++errand.tries;
  return hands_.send(errand.letter, stop_.get_token());
}

/// Nothing when this answer is the last word.
std::optional<Time> PushCourier::next_try(const Errand& errand, const PushAnswer& answer) {
  if (answer.verdict != PushVerdict::kLater) return std::nullopt;
  const std::chrono::seconds usual(1U << std::min(errand.tries - 1, kLongestShift));
  const Time again = now() + answer.after.value_or(std::min(usual, kLongestPause));
  if (again >= errand.letter.expires_at) return std::nullopt;
  return again;
}

}  // namespace zkv::gateway
