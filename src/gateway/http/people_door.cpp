// The checks, one after the other; what is refused here has not reached the service.
#include "gateway/http/people_door.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <utility>

namespace zkv::gateway::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kLongestPersonalBody = 64 * 1024;
constexpr std::string_view kJson = "application/json";
constexpr unsigned kTryAgainIn = 5;

/// Whether the media type is JSON, with or without parameters.
bool is_json(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return type.substr(0, type.find_last_not_of(" \t") + 1) == kJson;
}

std::string_view cookie_called(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const auto end = std::min(cookies.find(';'), cookies.size());
    auto cookie = cookies.substr(0, end);
    while (cookie.starts_with(' ')) cookie.remove_prefix(1);
    if (cookie.size() > name.size() && cookie.starts_with(name) && cookie[name.size()] == '=') {
      return cookie.substr(name.size() + 1);
    }
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
  }
  return {};
}

}  // namespace

Reply refusal(const Error& error) { return error.name() == "session" ? problem(401, error) : problem(error); }

PeopleDoor::PeopleDoor(Result<passkey::RelyingParty> party, std::string gateway_name, Service& service,
                       std::unique_ptr<NetworkNames> names)
    : party_(std::move(party)),
      gateway_name_(std::move(gateway_name)),
      service_(service),
      names_(std::move(names)),
      calls_(std::chrono::milliseconds(20), 200),
      sign_ins_(std::chrono::seconds(1), 30),
      decisions_(std::chrono::milliseconds(500), 60) {}

std::optional<std::string> PeopleDoor::name_of(const std::string& address) {
  return names_ ? names_->name_of(address) : std::nullopt;
}

void PeopleDoor::add(Router& router, std::string method, std::string pattern, Handler handler, Kind kind) {
  router.add(std::move(method), std::move(pattern),
             [this, handler, kind](Incoming incoming) { return enter(std::move(incoming), handler, kind); });
}

asio::awaitable<Reply> PeopleDoor::enter(Incoming incoming, Handler handler, Kind kind) {
  auto refused = check(incoming, kind);
  if (refused) co_return std::move(*refused);
  PersonalCall call;
  if (!incoming.body.empty()) {
    auto body = protocol::parse_object(incoming.body, kLongestPersonalBody);
    if (!body) co_return refusal(body.error());
    call.body = std::move(*body);
  }
  call.session = session_of(incoming);
  call.incoming = std::move(incoming);
  Reply reply = co_await handler(std::move(call), *this);
  reply.headers.emplace_back("Cache-Control", "no-store");
  if (reply.status == 503) reply = with_retry(std::move(reply), 1);
  co_return reply;
}

std::optional<Reply> PeopleDoor::check(const Incoming& incoming, Kind kind) {
  if (!party_) return refusal(party_.error());
  if (!limiter_of(kind).allow(incoming.client, RateLimiter::Clock::now())) {
    service_.note_refusal("refused.rate", incoming.client_name, "too many calls by a person");
    return with_retry(problem(429, "rate", "this address asks too often: wait a moment"), kTryAgainIn);
  }
  if (incoming.method != "GET" && incoming.header("Origin") != party_->origin) {
    service_.note_refusal("refused.origin", incoming.client_name, "a call from another page than ours");
    return problem(403, "origin",
                   "this call came from another page than " + party_->origin +
                       ": open that one, or set public-url to what people open");
  }
  if (!incoming.body.empty() && !is_json(incoming.header("Content-Type"))) {
    return problem(415, "content-type", "the body of this call is JSON: say Content-Type: application/json");
  }
  return std::nullopt;
}

RateLimiter& PeopleDoor::limiter_of(Kind kind) {
  if (kind == Kind::kSignIn) return sign_ins_;
  return kind == Kind::kDecision ? decisions_ : calls_;
}

/// With https a name that browsers take from this very host alone. Source: RFC 6265bis, "__Host-".
std::string PeopleDoor::cookie_name() const {
  return is_https(*party_) ? "__Host-zkv-session" : "zkv-session";
}

std::string PeopleDoor::cookie_rules(std::chrono::seconds age) const {
  return fmt::format("; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", age.count(),
                     is_https(*party_) ? "; Secure" : "");
}

SessionKey PeopleDoor::session_of(const Incoming& incoming) const {
  const auto text = cookie_called(incoming.header("Cookie"), cookie_name());
  const auto token = from_base64_secret(text, Base64::kUrlNoPadding);
  if (!token || token->size() != kSessionTokenSize) return {};
  return session_key(*token);
}

Reply PeopleDoor::with_session(Reply reply, const NewSession& session) const {
  const auto age = std::chrono::ceil<std::chrono::seconds>(session.signed_in.expires_at - now());
  SecretBuilder cookie;
  cookie.append(cookie_name() + "=");
  const auto token = to_base64_secret(session.token.span(), Base64::kUrlNoPadding);
  cookie.append(token.span());
  cookie.append(cookie_rules(age));
  reply.cookie = std::make_shared<const SecretBytes>(cookie.take());
  return reply;
}

Reply PeopleDoor::without_session(Reply reply) const {
  reply.headers.emplace_back("Set-Cookie", cookie_name() + "=" + cookie_rules(std::chrono::seconds(0)));
  return reply;
}

}  // namespace zkv::gateway::http
