// Each refusal is noted for the audit log; each answer has the status and body that the seed's clients know.
#include "gateway/http/legacy_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace zkv::gateway::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kTokenSize = 43;
constexpr std::string_view kTokenAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kDigits = "0123456789";

Reply with_state(unsigned status, std::string_view state) {
  Reply reply = empty(status);
  reply.headers.emplace_back("ZKV-Request-State", state);
  return reply;
}

Reply key_reply(const Answer& answer, Service& service) {
  Reply reply = empty(200);
  reply.secret = answer.share;
  reply.written = [&service, id = answer.request](bool in_full) { service.delivered(id, in_full); };
  return reply;
}

Reply reply_to(const Answer& answer, Service& service) {
  switch (answer.outcome) {
    case Answer::Outcome::kReleased:
      return key_reply(answer, service);
    case Answer::Outcome::kDenied:
      return with_state(401, "denied");
    case Answer::Outcome::kExpired:
      return with_state(401, "expired");
    case Answer::Outcome::kCancelled:
      return with_state(401, "cancelled");
    case Answer::Outcome::kVaultFailed:
      return with_state(500, "failed");
    case Answer::Outcome::kTooMany:
      return with_retry(empty(429), 10);
    case Answer::Outcome::kStopping:
      return with_retry(empty(503), 1);
  }
  return empty(500);
}

bool is_token(std::string_view text) {
  return text.size() == kTokenSize && text.find_first_not_of(kTokenAlphabet) == std::string_view::npos;
}

/// Whether the message is a number; other words are no try of a PIN.
bool is_number(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  text = text.substr(0, text.find_last_not_of(kBlanks) + 1);
  return !text.empty() && text.find_first_not_of(kDigits) == std::string_view::npos;
}

/// Waits for the service's answer, or for the client to go; an answer that came counts even then, but not
/// that its going was heard: a request with a token was not cancelled by it.
asio::awaitable<std::optional<Answer>> wait_for_answer(Service& service, Ask ask,
                                                       std::function<asio::awaitable<void>()> client_gone) {
  const auto executor = co_await asio::this_coro::executor;
  auto [order, failure, answer, watching] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, service.wait_for_release(std::move(ask)), asio::deferred),
          asio::co_spawn(executor, client_gone(), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  const bool client_went_first = order[0] == 1;
  if (failure || (client_went_first && answer.outcome == Answer::Outcome::kCancelled)) co_return std::nullopt;
  co_return std::move(answer);
}

}  // namespace

LegacyRoutes::LegacyRoutes(LegacyOptions options, Service& service)
    : options_(std::move(options)),
      service_(service),
      asks_(std::chrono::seconds(1), 1),
      messages_(std::chrono::seconds(1), 1) {}

void LegacyRoutes::add_to(Router& router) {
  router.add("GET", "/request-keys", [this](Incoming incoming) { return request_keys(std::move(incoming)); });
  if (options_.twilio_token.empty()) return;
  router.add("POST", "/incoming-message",
             [this](Incoming incoming) { return incoming_message(std::move(incoming)); });
}

Reply LegacyRoutes::refuse(unsigned status, std::string kind, const Incoming& incoming, std::string detail) {
  service_.note_refusal(std::move(kind), incoming.client_name, std::move(detail));
  return empty(status);
}

/// Hosts send neither header; browsers say by them when a page of another site has them ask.
bool LegacyRoutes::is_from_elsewhere(const Incoming& incoming) const {
  const auto site = incoming.header("Sec-Fetch-Site");
  const auto origin = incoming.header("Origin");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  return !origin.empty() && (options_.public_url.empty() || origin != options_.public_url);
}

asio::awaitable<Reply> LegacyRoutes::request_keys(Incoming incoming) {
  if (!options_.allow.empty() && !contains(options_.allow, incoming.client)) {
    co_return refuse(403, "refused.address", incoming, "not in legacy-allow");
  }
  if (is_from_elsewhere(incoming)) {
    co_return refuse(403, "refused.origin", incoming, "a page of another site has a browser ask");
  }
  const std::string token(incoming.header("ZKV-Request-Token"));
  if (!token.empty() && !is_token(token)) {
    co_return refuse(400, "refused.token", incoming, "ZKV-Request-Token is malformed");
  }
  if (!asks_.allow(incoming.client, RateLimiter::Clock::now())) {
    co_return with_retry(refuse(429, "refused.rate", incoming, "more than one ask in a second"), 1);
  }
  Ask ask{incoming.client_name, token.empty() ? std::nullopt : std::optional(token)};
  auto client_gone = std::move(incoming.client_gone);
  incoming = {};
  const auto answer = co_await wait_for_answer(service_, std::move(ask), std::move(client_gone));
  if (!answer) co_return nobody_there();
  Reply reply = reply_to(*answer, service_);
  reply.headers.emplace_back("Cache-Control", "no-store");
  if (!answer->request.text.empty()) reply.headers.emplace_back("ZKV-Request-Id", answer->request.text);
  co_return reply;
}

bool LegacyRoutes::is_signed(const Incoming& incoming, const FormFields& form) const {
  const auto signature = incoming.header("X-Twilio-Signature");
  const auto fits = [&](const std::string& base) {
    return twilio_signature_is_valid(options_.twilio_token.span(), base + incoming.target, form, signature);
  };
  if (signature.empty()) return false;
  if (!options_.public_url.empty()) return fits(options_.public_url);
  const std::string host(incoming.header("Host"));
  return fits("https://" + host) || (!incoming.secure && fits("http://" + host));
}

asio::awaitable<Reply> LegacyRoutes::incoming_message(Incoming incoming) {
  if (!messages_.allow(incoming.client, RateLimiter::Clock::now())) {
    co_return with_retry(refuse(429, "refused.rate", incoming, "more than one message in a second"), 1);
  }
  const auto form = parse_form(incoming.body);
  if (!is_signed(incoming, form)) {
    co_return refuse(403, "refused.webhook-signature", incoming, "X-Twilio-Signature is missing or wrong");
  }
  if (may_be_cut_elsewhere(form)) {
    co_return refuse(403, "refused.webhook-sender", incoming, "a message that names several senders");
  }
  auto fields = form;
  const auto query = parse_form(incoming.query());
  fields.insert(fields.end(), query.begin(), query.end());
  const std::string sender(find_field(fields, "From"));
  if (sender != options_.sms_to) {
    co_return refuse(403, "refused.webhook-sender", incoming,
                     "a message from another number than the approver's");
  }
  std::string body(find_field(fields, "Body"));
  if (body.empty()) co_return empty(400);
  if (!is_number(body)) co_return empty(404);
  auto message = message_of_signature(incoming.header("X-Twilio-Signature"));
  std::string by = "sms:" + sender;
  const auto outcome = co_await service_.receive_pin(std::move(body), std::move(message), std::move(by));
  if (!outcome) co_return empty(500);
  if (*outcome == PinOutcome::kApproved) co_return empty(204);
  co_return empty(*outcome == PinOutcome::kUnknownPin ? 404 : 429);
}

}  // namespace zkv::gateway::http
