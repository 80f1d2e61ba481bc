// The loop of one gateway: exchange, interpret, wait.
#include "host/gateway_client.h"

#include <chrono>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "crypto/random.h"
#include "host/answer.h"
#include "host/narrator.h"
#include "host/tries.h"
#include "net/address.h"
#include "protocol/legacy.h"

namespace zkv::host {

namespace {

/// More than any key, so that an answer that is too long is told from a connection that broke.
constexpr std::size_t kResponseLimit = 65'536;
/// A gateway that cannot ask anybody says so sooner; one that is silent for longer asks a person.
constexpr std::chrono::seconds kSilence{1};

/// All that one gateway's loop remembers from try to try.
class Asking {
 public:
  Asking(const std::string& address, const SecretBytes& token, const AskOptions& options,
         const Exchange& exchange, const std::stop_token& stop)
      : address_(address),
        shown_(shown(address)),
        token_(token),
        options_(options),
        exchange_(exchange),
        stop_(stop),
        narrator_(shown_, options.say) {}

  Result<SecretBytes> run() {
    const Tries tries{shown_, options_, [this] { return try_once(); }, [this] { return is_waiting_; }};
    return try_until_answered(tries, narrator_, stop_);
  }

 private:
  Answer try_once() {
    std::optional<std::chrono::steady_clock::time_point> connected;
    std::optional<net::Obstacle> met;
    net::HttpRequest request;
    request.url = address_;
    request.timeout = time_left(options_.deadline);
    request.response_limit = kResponseLimit;
    request.secret_headers.emplace_back(protocol::kTokenHeader, token_.clone());
    request.on_connected = [&] {
      connected = std::chrono::steady_clock::now();
      narrator_.waiting(id_);
    };
    request.on_obstacle = [&](net::Obstacle obstacle) { met = obstacle; };
    auto response = exchange_(request, stop_);
    const bool has_time_run_out = !response && is_over(options_.deadline);
    is_waiting_ = has_time_run_out && connected && std::chrono::steady_clock::now() - *connected >= kSilence;
    if (!response) return meaning_of(std::move(response).error(), met);
    if (auto id = request_id(*response); !id.empty()) id_ = std::move(id);
    return interpret(std::move(*response), now());
  }

  /// An address may hold a password.
  static std::string shown(const std::string& address) {
    const auto parsed = net::parse_address(address);
    return parsed ? parsed->shown() : address;
  }

  const std::string& address_;
  std::string shown_;
  const SecretBytes& token_;
  const AskOptions& options_;
  const Exchange& exchange_;
  const std::stop_token& stop_;
  Narrator narrator_;
  bool is_waiting_ = false;  ///< for a person, when the time ran out
  std::string id_;
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
