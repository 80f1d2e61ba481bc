// Server-sent events: a browser is told whenever a request changed, and looks for itself at what. Source:
// HTML, "Server-sent events".
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kSilence{25};
/// However much happens, so often at most is anybody told of it.
constexpr std::chrono::milliseconds kBetweenEvents{200};
constexpr unsigned kMostStreams = 2'000;
constexpr unsigned kMostStreamsEach = 20;  ///< of one approver

/// Counts the streams that are open.
class StreamCount {
 public:
  bool enter(const ApproverId& approver) {
    const std::lock_guard lock(mutex_);
    auto& own = by_approver_[approver];
    if (total_ >= kMostStreams || own >= kMostStreamsEach) return false;
    ++own;
    ++total_;
    return true;
  }
  void leave(const ApproverId& approver) {
    const std::lock_guard lock(mutex_);
    --total_;
    const auto own = by_approver_.find(approver);
    if (--own->second == 0) by_approver_.erase(own);
  }

 private:
  std::mutex mutex_;
  unsigned total_ = 0;
  std::map<ApproverId, unsigned> by_approver_;
};

/// One browser that listens.
class EventStream {
 public:
  EventStream(std::shared_ptr<StreamCount> count, const ApproverId& approver, PeopleDoor& door,
              PersonalCall call)
      : count_(std::move(count)),
        approver_(approver),
        door_(door),
        session_(call.session),
        client_gone_(std::move(call.incoming.client_gone)) {}
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  ~EventStream() { count_->leave(approver_); }

  /// Nothing when the client has gone or may not listen any more.
  asio::awaitable<std::optional<std::string>> next() {
    std::optional<std::string> part;
    if (std::exchange(has_begun_, true)) {
      const auto seen = co_await wait();
      if (!seen) co_return part;
      const auto signed_in = co_await door_.people().viewer(session_);
      if (!signed_in) co_return part;
      part = *seen == seen_ ? ": still here\n\n" : "event: requests\ndata: {}\n\n";
      seen_ = *seen;
    } else {
      part = ": hello\n\n";
    }
    co_return part;
  }

 private:
  /// The count of changes after the next one, or as it was after a long silence; nothing without a client.
  asio::awaitable<std::optional<std::uint64_t>> wait() {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, kBetweenEvents);
    co_await timer.async_wait(asio::use_awaitable);
    timer.expires_after(kSilence);
    const auto [order, failed, changes, timer_error, gone] =
        co_await asio::experimental::make_parallel_group(
            asio::co_spawn(executor, door_.people().change_after(seen_), asio::deferred),
            timer.async_wait(asio::deferred), asio::co_spawn(executor, client_gone_(), asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    std::optional<std::uint64_t> seen;
    if (order[0] == 0 && !failed && changes) seen = *changes;
    if (order[0] == 1) seen = seen_;
    co_return seen;
  }

  std::shared_ptr<StreamCount> count_;
  ApproverId approver_;
  PeopleDoor& door_;
  SessionKey session_;
  std::function<asio::awaitable<void>()> client_gone_;
  bool has_begun_ = false;
  std::uint64_t seen_ = 0;
};

asio::awaitable<Reply> listen_for_events(PersonalCall call, PeopleDoor& door) {
  static const auto count = std::make_shared<StreamCount>();
  const auto signed_in = co_await door.people().viewer(call.session);
  if (!signed_in) co_return refusal(signed_in.error());
  if (!count->enter(signed_in->approver.id)) {
    co_return problem(503, "streams", "too many pages are open: close one, or wait");
  }
  const auto stream = std::make_shared<EventStream>(count, signed_in->approver.id, door, std::move(call));
  Reply reply;
  reply.content_type = "text/event-stream";
  reply.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would hold events back
  reply.next_part = [stream] { return stream->next(); };
  co_return reply;
}

}  // namespace

void add_event_calls(Router& router, PeopleDoor& door) {
  door.add(router, "GET", "/v2/events", listen_for_events);
}

}  // namespace zkv::gateway::http
