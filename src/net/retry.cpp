// When to try again, and how long to wait before.
#include "net/retry.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <string>

namespace zkv::net {

namespace {

using std::chrono::milliseconds;

Result<> wait_on_token(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, time, [] { return false; });
  if (stop.stop_requested()) return Error::interrupted("stopped while waiting to try again");
  return {};
}

bool is_worth_another(const Result<HttpResponse>& response) {
  if (!response) return response.error().kind() == ErrorKind::kUnavailable;
  return response->status == 408 || response->status == 429 || response->status >= 500;
}

milliseconds pause_after(const Result<HttpResponse>& response, unsigned attempt, Time now) {
  constexpr unsigned kLongestShift = 4;
  const milliseconds usual = std::chrono::seconds(1U << std::min(attempt - 1, kLongestShift));
  if (!response) return usual;
  const auto header = response->header("retry-after");
  return header ? parse_retry_after(*header, now).value_or(usual) : usual;
}

}  // namespace

Clock Clock::system() { return {.now = zkv::now, .wait = wait_on_token}; }

Result<HttpResponse> send_patiently(const HttpClient& client, HttpRequest& request, const Patience& patience,
                                    const Clock& clock, const std::stop_token& stop) {
  const milliseconds usual = request.timeout;
  for (unsigned attempt = 1;; ++attempt) {
    const milliseconds left = patience.deadline - clock.now();
    request.timeout = std::clamp(left, milliseconds(1), usual);
    auto response = client.send(request, stop);
    if (attempt >= patience.attempts || !is_worth_another(response)) return response;
    const milliseconds pause = pause_after(response, attempt, clock.now());
    if (clock.now() + pause >= patience.deadline) return response;
    ZKV_CHECK(clock.wait(pause, stop));
  }
}

std::optional<milliseconds> parse_retry_after(std::string_view value, Time now) {
  unsigned seconds = 0;
  const char* end = value.data() + value.size();
  if (const auto [rest, code] = std::from_chars(value.data(), end, seconds);
      code == std::errc{} && rest == end) {
    return std::chrono::seconds(seconds);
  }
  std::tm date{};
  const std::string text(value);
  const char* rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  const Time then{std::chrono::seconds(::timegm(&date))};
  return std::max(then - now, milliseconds(0));
}

}  // namespace zkv::net
