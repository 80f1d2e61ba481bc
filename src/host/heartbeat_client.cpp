// One statement, one message, one answer.
#include "host/heartbeat_client.h"

#include <algorithm>

#include "base/plain_text.h"
#include "host/gateway_link.h"

namespace zkv::host {

namespace {

constexpr std::chrono::seconds kBeatLimit{30};

protocol::Heartbeat message_of(const Enrolment& enrolment, const SignOfLife& sign, Time time) {
  protocol::Heartbeat message;
  message.host = enrolment.host;
  message.gateway = enrolment.gateway;
  message.time = time;
  message.version = sign.version;
  message.repository = enrolment.repository;
  message.generation = sign.generation;
  message.count = std::min<std::uint64_t>(sign.findings.size(), protocol::kHighestCount);
  for (const auto& finding : sign.findings) {
    if (message.findings.size() == protocol::kMostFindings) break;
    message.findings.push_back(protocol::as_finding(finding));
  }
  return message;
}

Error refusal_of_beat(const GatewayAnswer& answer, const std::string& address) {
  if (answer.problem == "unknown-host" || answer.status == 403) {
    return Error::refused(address + " refuses this host: " + answer.detail)
        .remedy("see 'zkvgateway host list' there; enrol again by a new link if it must be");
  }
  return Error::unavailable(address + ": " + answer.detail);
}

Result<GatewayHealth> health_in(const GatewayAnswer& answer, const protocol::Envelope& sent,
                                const Enrolment& enrolment, const crypto::VerifyingKey& key) {
  const auto untrusted = [&](const std::string& why) {
    return Error::corrupt("the answer of " + enrolment.address + " is not to be trusted: " + why);
  };
  const auto envelope = protocol::parse_envelope(answer.body);
  if (!envelope) return untrusted(envelope.error().message());
  const auto said = protocol::open_envelope<protocol::HeartbeatAnswer>(*envelope, key);
  if (!said) return untrusted(said.error().message());
  if (said->heartbeat != protocol::hash_of(sent) || said->host != enrolment.host ||
      said->gateway != enrolment.gateway) {
    return untrusted("it is for another heartbeat");
  }
  return GatewayHealth{said->share, plain_text(said->why), said->share_expires, answer.certificate_ends};
}

}  // namespace

Result<GatewayHealth> send_heartbeat(const Enrolment& enrolment, const EnrolmentKeys& keys,
                                     const SignOfLife& sign, const Exchange& exchange,
                                     const std::stop_token& stop) {
  std::optional<Time> certificate_ends;
  const Exchange watched = [&](const net::HttpRequest& request, const std::stop_token& its_stop) {
    auto response = exchange(request, its_stop);
    if (response && response->certificates_end) certificate_ends = response->certificates_end;
    return response;
  };
  const GatewayLink link(enrolment.address, enrolment.gateway, watched);
  ZKV_TRY(const auto statement, link.statement(kBeatLimit, stop));
  if (!statement.does_know(protocol::kKnowsHeartbeats)) {
    return Error::unsupported(enrolment.address + " is older than heartbeats, and hears nothing of this")
        .remedy("upgrade zkvgateway there");
  }
  auto told = sign;
  if (sign.on_certificate) {
    if (auto finding = sign.on_certificate(certificate_ends)) told.findings.push_back(std::move(*finding));
  }
  const auto message = message_of(enrolment, told, statement.time);
  ZKV_TRY(const auto envelope, protocol::seal_message(message, *keys.identity));
  ZKV_TRY(const auto answer, link.post("/v2/heartbeats", protocol::to_json(envelope), kBeatLimit, stop));
  if (answer.status != 200) return refusal_of_beat(answer, enrolment.address);
  ZKV_TRY(auto health, health_in(answer, envelope, enrolment, statement.signing));
  health.certificate_ends = certificate_ends;
  return health;
}

}  // namespace zkv::host
