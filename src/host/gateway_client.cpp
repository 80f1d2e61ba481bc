// The loop of one gateway: exchange, interpret, wait.
#include "host/gateway_client.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "base/encoding.h"
#include "crypto/random.h"
#include "host/answer.h"
#include "net/address.h"
#include "protocol/legacy.h"

namespace zkv::host {

namespace {

using Steady = std::chrono::steady_clock;

/// More than any key, so that an answer that is too long is told from a connection that broke.
constexpr std::size_t kResponseLimit = 65'536;

/// Says what is new about one gateway. One that fails again and again is told of once a minute, not at each
/// try.
class Narrator {
 public:
  Narrator(std::string address, const std::function<void(const std::string&)>& say)
      : address_(std::move(address)), say_(say) {}

  void waiting(const std::string& id) {
    tell("waiting for approval of " + (id.empty() ? "the request" : "request " + id) + " at " + address_);
  }
  void trouble(const std::string& why) {
    const bool names_address = why.find(address_) != std::string::npos;
    tell(why + (names_address ? "" : " at " + address_) + "; trying again");
  }

 private:
  void tell(const std::string& line) {
    const auto found = said_.find(line);
    const bool is_fresh = found != said_.end() && Steady::now() - found->second < std::chrono::minutes(1);
    if (!say_ || line == last_ || is_fresh) return;
    said_[line] = Steady::now();
    last_ = line;
    say_(line);
  }

  std::string address_;
  const std::function<void(const std::string&)>& say_;
  std::map<std::string, Steady::time_point> said_;
  std::string last_;
};

bool is_over(const Deadline& deadline) { return deadline && Steady::now() >= *deadline; }

std::chrono::milliseconds time_left(const Deadline& deadline) {
  if (!deadline) return std::chrono::milliseconds::zero();
  return std::max(std::chrono::milliseconds(1),
                  std::chrono::ceil<std::chrono::milliseconds>(*deadline - Steady::now()));
}

/// False when a stop was asked for meanwhile.
bool wait(std::chrono::milliseconds time, const Deadline& deadline, const std::stop_token& stop) {
  auto until = Steady::now() + time;
  if (deadline) until = std::min(until, *deadline);
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, until, [] { return false; });
  return !stop.stop_requested();
}

/// All that one gateway's loop remembers from try to try.
class Asking {
 public:
  Asking(const std::string& address, const SecretBytes& token, const AskOptions& options,
         const Exchange& exchange, const std::stop_token& stop)
      : address_(address),
        token_(token),
        options_(options),
        exchange_(exchange),
        stop_(stop),
        narrator_(address, options.say),
        backoff_(options.backoff, crypto::random_below) {}

  Result<SecretBytes> run() {
    while (true) {
      auto answer = try_once();
      if (auto* given = std::get_if<KeyGiven>(&answer)) return std::move(given->key);
      if (auto* ended = std::get_if<Ended>(&answer)) return std::move(ended->error).context(address_);
      auto& again = std::get<TryAgain>(answer);
      last_trouble_ = again.why;
      if (options_.ask_once) return Error::unavailable(again.why).context(address_);
      if (is_over(options_.deadline)) return out_of_time();
      narrator_.trouble(again.why);
      const auto pause = again.wait.value_or(backoff_.next());
      if (!wait(pause, options_.deadline, stop_)) return Error::interrupted("stopped while waiting");
      if (is_over(options_.deadline)) return out_of_time();
    }
  }

 private:
  Answer try_once() {
    is_connected_ = false;
    net::HttpRequest request;
    request.url = address_;
    request.timeout = time_left(options_.deadline);
    request.response_limit = kResponseLimit;
    request.secret_headers.emplace_back(protocol::kTokenHeader, token_.clone());
    request.on_connected = [this] {
      is_connected_ = true;
      narrator_.waiting(id_);
    };
    auto response = exchange_(request, stop_);
    const bool has_time_run_out = !response && is_over(options_.deadline);
    is_connected_ = is_connected_ && has_time_run_out;
    if (!response) return meaning_of(std::move(response).error());
    if (auto id = request_id(*response); !id.empty()) id_ = std::move(id);
    return interpret(std::move(*response), now());
  }

  /// A failed exchange can be mended by time; a wrong address or a stop cannot.
  static Answer meaning_of(Error error) {
    if (error.kind() != ErrorKind::kUnavailable) return Ended{std::move(error)};
    return TryAgain{error.message(), std::nullopt};
  }

  [[nodiscard]] Error out_of_time() const {
    if (is_connected_) {
      return Error::pending("nobody decided in time").context(address_);
    }
    return Error::unavailable("no answer in time; the last trouble was: " + last_trouble_).context(address_);
  }

  const std::string& address_;
  const SecretBytes& token_;
  const AskOptions& options_;
  const Exchange& exchange_;
  const std::stop_token& stop_;
  Narrator narrator_;
  Backoff backoff_;
  bool is_connected_ = false;  ///< and the answer is still to come
  std::string id_;
  std::string last_trouble_;
};

}  // namespace

Result<std::string> request_address(const std::string& given) {
  ZKV_TRY(const auto address, net::parse_address(given));
  const std::size_t authority = address.url.find("://") + 3;
  const std::size_t path = address.url.find_first_of("/?#", authority);
  if (path != std::string::npos && address.url.substr(path) != "/") return address.url;
  return address.url.substr(0, path) + std::string(protocol::kRequestKeysPath);
}

SecretBytes make_token() {
  return to_base64_secret(crypto::random_secret(protocol::kTokenBytes).span(), Base64::kUrlNoPadding);
}

Result<SecretBytes> ask_gateway(const std::string& address, const SecretBytes& token,
                                const AskOptions& options, const Exchange& exchange,
                                const std::stop_token& stop) {
  return Asking(address, token, options, exchange, stop).run();
}

}  // namespace zkv::host
