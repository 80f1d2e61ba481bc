// Envelopes in, JSON out; what is refused is noted for the audit log.
#include "gateway/http/v2_routes.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <utility>

#include "gateway/http/openapi.h"
#include "protocol/messages.h"

namespace zkv::gateway::http {

namespace asio = boost::asio;
namespace json_lib = boost::json;

namespace {

/// One address may ask so much at once, and then so often.
constexpr unsigned kBurst = 200;
constexpr std::chrono::milliseconds kInterval{20};
constexpr unsigned kLongestWait = 60;
constexpr unsigned kComeBack = 5;

std::int64_t milliseconds(Time time) { return time.time_since_epoch().count(); }

json_lib::object to_json(const HostRequest& answer) {
  const auto& request = answer.request;
  json_lib::object object{{"request", to_base64(*request.token_hash, Base64::kUrlNoPadding)},
                          {"id", request.id.text},
                          {"state", std::string(gateway::to_text(request.state))},
                          {"expires", milliseconds(request.expires_at)}};
  if (!request.reason.empty()) object["reason"] = request.reason;
  if (answer.asked) object["asked"] = *answer.asked;
  if (answer.release) object["release"] = json_lib::parse(*answer.release);
  return object;
}

std::string as_enrolled(const Host& host) {
  return json_lib::serialize(json_lib::object{{"host", host.id}, {"name", host.name}, {"group", host.group}});
}

Reply without_cache(Reply reply) {
  reply.headers.emplace_back("Cache-Control", "no-store");
  return reply;
}

/// The hash that an ID in a path is. Errors: kNotFound, as for one that nobody knows.
Result<Bytes> hash_from(const std::string& id) {
  auto hash = from_base64(id, Base64::kUrlNoPadding);
  if (hash && hash->size() == sizeof(crypto::Sha256)) return std::move(*hash);
  return Error::not_found("there is no such request");
}

/// Seconds to wait, by the query. Errors: kInvalid.
Result<std::chrono::seconds> wait_of(const Incoming& incoming) {
  const auto fields = parse_form(incoming.query());
  const auto text = find_field(fields, "wait");
  if (text.empty()) return std::chrono::seconds(0);
  unsigned seconds = 0;
  const auto end = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), end, seconds);
  if (failure != std::errc() || at != end || seconds > kLongestWait) {
    return Error::invalid("'wait' is not a number of seconds up to 60");
  }
  return std::chrono::seconds(seconds);
}

/// Waits for a change, for the time, or for the client to go; false when it has gone.
asio::awaitable<bool> wait_for_change(HostAsks& asks, Request seen, std::chrono::seconds limit,
                                      std::function<asio::awaitable<void>()> client_gone) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  const auto [order, failed, has_changed, timer_error, gone] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, asks.change_of(std::move(seen)), asio::deferred),
          timer.async_wait(asio::deferred), asio::co_spawn(executor, client_gone(), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  co_return order[0] != 2;
}

}  // namespace

V2Routes::V2Routes(const V2Options& options, Service& service)
    : options_(options), service_(service), limiter_(kInterval, kBurst) {}

void V2Routes::add_to(Router& router) {
  router.add("GET", "/v2/openapi.json", [](Incoming /*incoming*/) -> asio::awaitable<Reply> {
    co_return json(200, std::string(openapi_document()));
  });
  add(router, "GET", "/v2/gateway", &V2Routes::statement);
  add(router, "POST", "/v2/enrolments", &V2Routes::enrol);
  add(router, "POST", "/v2/successions", &V2Routes::succeed);
  add(router, "POST", "/v2/requests", &V2Routes::ask);
  add(router, "POST", "/v2/heartbeats", &V2Routes::beat);
  add(router, "GET", "/v2/requests/*", &V2Routes::poll);
  add(router, "POST", "/v2/requests/*/words", &V2Routes::word);
}

void V2Routes::add(Router& router, std::string method, std::string pattern, Handler handler) {
  router.add(std::move(method), std::move(pattern),
             [this, handler](Incoming incoming) -> asio::awaitable<Reply> {
               if (limiter_.allow(incoming.client, RateLimiter::Clock::now())) {
                 return (this->*handler)(std::move(incoming));
               }
               service_.note_refusal("refused.rate", incoming.client_name, "too many calls of /v2/");
               return [](Reply reply) -> asio::awaitable<Reply> {
                 co_return reply;
               }(with_retry(problem(429, "rate", "this address asks too often"), kComeBack));
             });
}

Reply V2Routes::refuse(const Error& error, const std::string& kind, const Incoming& incoming) {
  Reply reply = problem(error);
  if (reply.status < 500) service_.note_refusal(kind, incoming.client_name, error.message());
  if (reply.status == 503) return with_retry(std::move(reply), 1);
  return reply;
}

asio::awaitable<Reply> V2Routes::statement(Incoming /*incoming*/) {
  co_return without_cache(json(200, protocol::to_json(options_.identity->statement(options_.name, now()))));
}

asio::awaitable<Reply> V2Routes::enrol(Incoming incoming) {
  auto envelope = protocol::parse_envelope(incoming.body);
  if (!envelope) co_return refuse(envelope.error(), "refused.enrolment", incoming);
  std::string address = incoming.client_name;
  const auto host = co_await service_.enrolments().enrol(std::move(*envelope), std::move(address));
  if (!host) co_return refuse(host.error(), "refused.enrolment", incoming);
  co_return json(201, as_enrolled(*host));
}

asio::awaitable<Reply> V2Routes::succeed(Incoming incoming) {
  auto envelope = protocol::parse_envelope(incoming.body);
  if (!envelope) co_return refuse(envelope.error(), "refused.succession", incoming);
  const auto host = co_await service_.enrolments().succeed(std::move(*envelope));
  if (!host) co_return refuse(host.error(), "refused.succession", incoming);
  co_return json(200, as_enrolled(*host));
}

asio::awaitable<Reply> V2Routes::ask(Incoming incoming) {
  auto envelope = protocol::parse_envelope(incoming.body);
  if (!envelope) co_return refuse(envelope.error(), "refused.request", incoming);
  std::string address = incoming.client_name;
  const auto answer = co_await service_.host_asks().ask(std::move(*envelope), std::move(address));
  if (!answer) co_return refuse(answer.error(), "refused.request", incoming);
  co_return reply_to(*answer, incoming);
}

Reply V2Routes::unknown_host(const Incoming& incoming) {
  service_.note_refusal("refused.host", incoming.client_name, "a message of an unknown or revoked host");
  return problem(403, "unknown-host", "this gateway knows no such host, or it was revoked");
}

Reply V2Routes::wrong_clock(const Incoming& incoming) {
  service_.note_refusal("refused.clock", incoming.client_name, "a message's time is far from ours");
  return problem(409, "clock",
                 "the message's time is more than 300 s from the gateway's, which is in GET /v2/gateway");
}

asio::awaitable<Reply> V2Routes::beat(Incoming incoming) {
  auto envelope = protocol::parse_envelope(incoming.body);
  if (!envelope) co_return refuse(envelope.error(), "refused.heartbeat", incoming);
  std::string address = incoming.client_name;
  const auto answer = co_await service_.heartbeats().beat(std::move(*envelope), std::move(address));
  if (!answer) co_return refuse(answer.error(), "refused.heartbeat", incoming);
  switch (answer->verdict) {
    case BeatVerdict::kTaken:
      co_return without_cache(json(200, answer->envelope));
    case BeatVerdict::kWrongClock:
      co_return wrong_clock(incoming);
    case BeatVerdict::kStale:
      service_.note_refusal("refused.stale", incoming.client_name,
                            "a heartbeat that is not its host's newest");
      co_return problem(409, "stale", "this host has sent a later heartbeat");
    case BeatVerdict::kTooMany:
      service_.note_refusal("refused.rate", incoming.client_name, "too many heartbeats of one host");
      co_return with_retry(problem(429, "rate", "this host has sent 30 heartbeats within an hour"),
                           kComeBack);
    case BeatVerdict::kUnknownHost:
      break;
  }
  co_return unknown_host(incoming);
}

Reply V2Routes::reply_to(const AskAnswer& answer, const Incoming& incoming) {
  switch (answer.verdict) {
    case AskVerdict::kTaken:
      return without_cache(json(201, json_lib::serialize(to_json(*answer.taken))));
    case AskVerdict::kAgain:
      return without_cache(json(200, json_lib::serialize(to_json(*answer.taken))));
    case AskVerdict::kUnknownHost:
      return unknown_host(incoming);
    case AskVerdict::kWrongClock:
      return wrong_clock(incoming);
    case AskVerdict::kStale:
      service_.note_refusal("refused.stale", incoming.client_name,
                            "a request that is older than another of its host");
      return problem(409, "stale", "this host has sent a later request");
    case AskVerdict::kBootWaits:
      return problem(
          409, "boot-waits",
          "a request of this host waits already, which a drill or one for new keys does not replace");
    case AskVerdict::kTooMany:
      break;
  }
  return with_retry(problem(429, "busy", "too many requests are open"), kComeBack);
}

asio::awaitable<Reply> V2Routes::poll(Incoming incoming) {
  const auto hash = hash_from(incoming.parameter);
  if (!hash) co_return problem(hash.error());
  const auto wait = wait_of(incoming);
  if (!wait) co_return problem(wait.error());
  auto client_gone = std::move(incoming.client_gone);
  const Bytes& its_hash = *hash;
  auto seen = co_await service_.host_asks().state(its_hash);
  if (seen && !is_answered(*seen) && wait->count() > 0) {
    const bool is_there =
        co_await wait_for_change(service_.host_asks(), seen->request, *wait, std::move(client_gone));
    if (!is_there) co_return nobody_there();
    seen = co_await service_.host_asks().state(its_hash);
  }
  if (!seen) co_return refuse(seen.error(), "refused.poll", incoming);
  co_return without_cache(json(200, json_lib::serialize(to_json(*seen))));
}

asio::awaitable<Reply> V2Routes::word(Incoming incoming) {
  auto hash = hash_from(incoming.parameter);
  if (!hash) co_return problem(hash.error());
  auto envelope = protocol::parse_envelope(incoming.body);
  if (!envelope) co_return refuse(envelope.error(), "refused.word", incoming);
  const auto heard = co_await service_.host_asks().word(std::move(*hash), std::move(*envelope));
  if (!heard) co_return refuse(heard.error(), "refused.word", incoming);
  co_return empty(204);
}

}  // namespace zkv::gateway::http
