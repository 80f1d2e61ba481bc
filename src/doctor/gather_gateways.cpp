// One exchange with each gateway, as the boot would have it, and on request a trial of the whole way.
#include "doctor/gather_parts.h"
#include "host/enroll.h"
#include "host/gateway_link.h"
#include "net/address.h"

namespace zkv::doctor {

namespace {

constexpr std::chrono::milliseconds kPatience{15'000};

/// An exchange that notes what was in the way, and until when certificates hold.
host::Exchange noting(const host::Exchange& exchange, GatewayFacts& gateway, bool is_pinned) {
  return [&exchange, &gateway, is_pinned](const net::HttpRequest& request,
                                          const std::stop_token& stop) -> Result<net::HttpResponse> {
    net::HttpRequest noted;
    noted.method = request.method;
    noted.url = request.url;
    noted.headers = request.headers;
    noted.body = request.body.clone();
    noted.connect_timeout = kPatience;
    noted.timeout = request.timeout;
    noted.response_limit = request.response_limit;
    noted.on_connected = request.on_connected;
    noted.on_obstacle = [&gateway](net::Obstacle obstacle) { gateway.obstacle = obstacle; };
    auto answer = exchange(noted, stop);
    if (answer && !is_pinned) gateway.certificate_ends = answer->certificates_end;
    return answer;
  };
}

GatewayFacts look_at_enrolled(const GatherOrder& order, const host::Enrolment& enrolment,
                              const std::stop_token& stop) {
  GatewayFacts gateway{.address = enrolment.address};
  const auto plain = order.exchange_with(enrolment.certificate);
  const auto exchange = noting(plain, gateway, enrolment.certificate.has_value());
  const auto said =
      host::GatewayLink(enrolment.address, enrolment.gateway, exchange).statement(kPatience, stop);
  if (!said && said.error().kind() == ErrorKind::kDenied && gateway.obstacle != net::Obstacle::kTrust)
    gateway.refusal = said.error();
  if (!said && !gateway.refusal) gateway.trouble = said.error();
  if (!said || !order.asks) return gateway;
  const host::EnrolmentFolder folder(repository_file(order));
  const auto keys = folder.keys_of(enrolment, order.tpm);
  if (!keys && !folder.check_keys(enrolment) && keys.error().kind() != ErrorKind::kDenied) return gateway;
  const auto plea = host::make_plea(repository_file(order));
  if (!keys || !plea) {
    gateway.refusal = keys ? plea.error() : keys.error();
    return gateway;
  }
  const auto tried = host::try_enrolled_gateway(enrolment, *keys, *plea, exchange, stop);
  if (!tried) gateway.refusal = tried.error();
  if (tried) gateway.deciders = tried->deciders;
  return gateway;
}

/// Of the first protocol: only whether it is reached, since every request there rings somebody's phone.
GatewayFacts look_at_named(const GatherOrder& order, const std::string& address,
                           const std::stop_token& stop) {
  GatewayFacts gateway{.address = address};
  const auto plain = order.exchange_with(std::nullopt);
  const auto parsed = net::parse_address(address);
  if (!parsed) {
    gateway.trouble = parsed.error();
    return gateway;
  }
  const bool is_number = parsed->host.find(':') != std::string::npos;
  net::HttpRequest request;
  request.url = parsed->scheme + "://" + (is_number ? "[" + parsed->host + "]" : parsed->host) + ":" +
                parsed->port + "/livez";
  request.timeout = kPatience;
  const auto answer = noting(plain, gateway, false)(request, stop);
  if (!answer) gateway.trouble = answer.error();
  return gateway;
}

}  // namespace

void gather_gateways(const GatherOrder& order, Facts& facts, const std::stop_token& stop) {
  if (!order.system.is_running()) return;
  const auto named = configured_gateways(facts);
  for (const auto& address : named) {
    const auto parsed = net::parse_address(address);
    const bool is_refused = parsed && !parsed->is_secure() && !parsed->is_loopback();
    if (!is_refused) facts.gateways.push_back(look_at_named(order, address, stop));
  }
  if (!named.empty()) return;  // Those go before any enrolment.
  for (const auto& enrolment : facts.enrolments) {
    facts.gateways.push_back(look_at_enrolled(order, enrolment, stop));
  }
}

}  // namespace zkv::doctor
