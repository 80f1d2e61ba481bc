// Exchanges, and reading problem documents (RFC 9457).
#include "host/gateway_link.h"

#include "base/plain_text.h"
#include "net/retry.h"
#include "protocol/json_members.h"

namespace zkv::host {

namespace {

constexpr std::size_t kBodyLimit = std::size_t{256} << 10U;
constexpr std::size_t kLongestDetail = 500;
constexpr std::size_t kLongestType = 200;

void read_problem(GatewayAnswer& answer) {
  answer.detail = "the gateway answered with status " + std::to_string(answer.status);
  const auto object = protocol::parse_object(answer.body, kBodyLimit);
  if (!object) return;
  const protocol::Members members(*object);
  if (const auto detail = members.text("detail", kLongestDetail)) answer.detail = plain_text(*detail);
  if (const auto type = members.text("type", kLongestType)) {
    answer.problem = type->substr(type->rfind('/') + 1);
  }
}

}  // namespace

Result<GatewayAnswer> GatewayLink::send(net::HttpRequest request, const std::stop_token& stop) const {
  request.response_limit = kBodyLimit;
  request.on_obstacle = on_obstacle_;
  ZKV_TRY(const auto response, exchange_(request, stop));
  GatewayAnswer answer;
  answer.status = response.status;
  answer.body = std::string(response.body.view());
  answer.certificate_ends = response.certificates_end;
  if (const auto header = response.header("retry-after")) {
    answer.retry_after = net::parse_retry_after(*header, now());
  }
  if (answer.status >= 400) read_problem(answer);
  return answer;
}

Result<GatewayAnswer> GatewayLink::post(const std::string& path, const std::string& body,
                                        std::chrono::milliseconds limit, const std::stop_token& stop) const {
  net::HttpRequest request;
  request.method = "POST";
  request.url = address_ + path;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = SecretBytes::copy_of(body);
  request.timeout = limit;
  return send(std::move(request), stop);
}

Result<GatewayAnswer> GatewayLink::get(const std::string& path, std::chrono::milliseconds limit,
                                       const std::stop_token& stop) const {
  net::HttpRequest request;
  request.url = address_ + path;
  request.timeout = limit;
  return send(std::move(request), stop);
}

Result<protocol::GatewayStatement> GatewayLink::statement(std::chrono::milliseconds limit,
                                                          const std::stop_token& stop) const {
  ZKV_TRY(const auto answer, get("/v2/gateway", limit, stop));
  if (answer.status != 200) {
    return Error::unavailable("the gateway does not say who it is: status " + std::to_string(answer.status));
  }
  const auto forged = [this](const std::string& why) {
    return Error::refused(address_ + " is not the gateway that was pinned: " + why)
        .remedy("if the gateway was set up anew, enrol again; otherwise somebody stands between");
  };
  const auto envelope = protocol::parse_envelope(answer.body);
  if (!envelope) return Error::unavailable("the gateway's statement is no envelope");
  const auto unchecked = protocol::read_body<protocol::GatewayStatement>(envelope->body);
  if (!unchecked) return Error::unavailable("the gateway's statement cannot be read");
  if (protocol::key_id(unchecked->signing) != gateway_) return forged("it has another identity");
  auto statement = protocol::open_envelope<protocol::GatewayStatement>(*envelope, unchecked->signing);
  if (!statement) return forged(statement.error().message());
  return statement;
}

}  // namespace zkv::host
