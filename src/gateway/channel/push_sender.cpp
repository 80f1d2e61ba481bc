// Building the request, and reading the answer's status; its body says nothing that we need.
#include "gateway/channel/push_sender.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/private_file.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "net/retry.h"

namespace zkv::gateway {

namespace {

constexpr std::chrono::milliseconds kPushConnectLimit{5'000};
constexpr std::chrono::milliseconds kPushAttemptLimit{10'000};
constexpr std::size_t kAnswerLimit = std::size_t{64} * 1024;
constexpr std::chrono::hours kTokenLife{12};  // RFC 8292 allows 24
constexpr std::size_t kPushSaltSize = 16;
constexpr std::size_t kTopicSize = 24;  // RFC 8030: at most 32 characters of base64

/// An error's words without the endpoint's path, which is what makes it a capability.
std::string without_path(std::string words, const net::Address& address) {
  const auto shown = address.shown();
  for (auto at = words.find(shown); at != std::string::npos; at = words.find(shown)) {
    words.replace(at, shown.size(), address.host);
  }
  const auto path = address.url.find('/', address.url.find("://") + 3);
  const bool tells = path != std::string::npos && path + 1 < address.url.size() &&
                     words.find(address.url.substr(path)) != std::string::npos;
  return tells ? "no answer" : words;
}

PushVerdict verdict_for(long status) {
  if (status == 200 || status == 201 || status == 202) return PushVerdict::kTaken;
  if (status == 404 || status == 410) return PushVerdict::kGone;
  if (status == 408 || status == 429 || status >= 500) return PushVerdict::kLater;
  return PushVerdict::kRefused;
}

PushAnswer answer_from(const net::HttpResponse& response, const std::string& service) {
  PushAnswer answer{verdict_for(response.status), service, {}};
  if (answer.verdict == PushVerdict::kTaken) return answer;
  answer.why = fmt::format("status {}", response.status);
  if (const auto wait = response.header("retry-after"); wait && answer.verdict == PushVerdict::kLater) {
    answer.after = net::parse_retry_after(*wait, now());
  }
  return answer;
}

PushVerdict verdict_for(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable ? PushVerdict::kLater : PushVerdict::kRefused;
}

}  // namespace

PushSender::PushSender(WebPushOptions options)
    : options_(std::move(options)), hosts_(options_.hosts), client_(net::HttpOptions{}) {}

Result<std::shared_ptr<const PushKey>> PushSender::key() {
  const std::lock_guard lock(mutex_);
  if (key_) return key_;
  ZKV_TRY(const auto fresh, PushKey::make());
  ZKV_TRY(const auto secret,
          load_or_make_private_file(options_.key_file, fresh.secret(), "the key for push services"));
  auto key = PushKey::from_secret(secret);
  if (!key) {
    return std::move(key).error().context(options_.key_file.string()).remedy("restore it from the backup");
  }
  key_ = std::make_shared<const PushKey>(std::move(*key));
  return key_;
}

Result<> PushSender::check(const PushSubscription& subscription) {
  ZKV_CHECK(hosts_.check(subscription.endpoint));
  ZKV_TRY(const auto own, key());
  ZKV_CHECK(own->agree(subscription.key));
  return {};
}

Result<std::string> PushSender::topic_of(const std::string& host) {
  ZKV_TRY(const auto own, key());
  const auto topic =
      crypto::hkdf_sha256(own->secret().span(), {}, std::string("zkv push topic\0", 15) + host, kTopicSize);
  return to_base64(topic.span(), Base64::kUrlNoPadding);
}

PushAnswer PushSender::send(const PushLetter& letter, const std::stop_token& stop) {
  const auto address = hosts_.check(letter.to.subscription.endpoint);
  if (!address) return {PushVerdict::kRefused, "?", "push-hosts does not name its push service any more"};
  const auto request = request_for(letter, *address);
  if (!request) return {PushVerdict::kRefused, address->host, request.error().message()};
  const auto response = client_.send(*request, stop);
  if (response) return answer_from(*response, address->host);
  return {verdict_for(response.error()), address->host, without_path(response.error().message(), *address)};
}

Result<net::HttpRequest> PushSender::request_for(const PushLetter& letter, const net::Address& address) {
  const Time time = now();
  const auto left = std::max(letter.expires_at - time, std::chrono::milliseconds(0));
  ZKV_TRY(const auto own, key());
  ZKV_TRY(const auto authorization,
          vapid_authorization(*own, origin_of(address), options_.subject, time + kTokenLife));
  ZKV_TRY(const auto sender, PushKey::make());
  const auto salt = crypto::random_secret(kPushSaltSize);
  ZKV_TRY(const auto body, encrypt_push(letter.to.subscription, letter.text, sender, salt.span()));
  net::HttpRequest request;
  request.method = "POST";
  request.url = address.url;
  request.headers = {{"Content-Type", "application/octet-stream"},
                     {"Content-Encoding", "aes128gcm"},
                     {"TTL", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(left).count())},
                     {"Urgency", "high"}};
  if (!letter.topic.empty()) request.headers.emplace_back("Topic", letter.topic);
  request.secret_headers.emplace_back("Authorization", SecretBytes::copy_of(authorization));
  request.body = SecretBytes::copy_of(std::span<const std::uint8_t>(body));
  request.connect_timeout = kPushConnectLimit;
  request.timeout = std::clamp(left, std::chrono::milliseconds(1), kPushAttemptLimit);
  request.response_limit = kAnswerLimit;
  return request;
}

}  // namespace zkv::gateway
