// One word, and a record without a predecessor.
#include "host/succession.h"

#include <chrono>

#include "host/gateway_link.h"
#include "protocol/json_members.h"

namespace zkv::host {

namespace {

constexpr std::chrono::seconds kSuccessionLimit{60};
constexpr std::size_t kAnswerLimit = std::size_t{64} << 10U;

Error not_heard(const GatewayAnswer& answer, const std::string& address) {
  if (answer.status == 403 || answer.status == 404) {
    return Error::denied(address + " does not let this host take its own place: " + answer.detail)
        .remedy("see 'zkvgateway host list' there; enrol again by a new link if it must be");
  }
  return Error::unavailable(address + ": " + answer.detail);
}

}  // namespace

Result<Enrolment> take_own_place(const EnrolmentFolder& folder, const Enrolment& enrolment,
                                 const EnrolmentKeys& keys, const Exchange& exchange,
                                 const std::stop_token& stop) {
  if (!enrolment.predecessor) return enrolment;
  const GatewayLink link(enrolment.address, enrolment.gateway, exchange);
  ZKV_TRY(const auto statement, link.statement(kSuccessionLimit, stop));
  const protocol::Succession word{enrolment.host, enrolment.gateway, enrolment.predecessor->host,
                                  statement.time};
  ZKV_TRY(const auto envelope, protocol::seal_message(word, *keys.identity));
  ZKV_TRY(const auto answer,
          link.post("/v2/successions", protocol::to_json(envelope), kSuccessionLimit, stop));
  if (answer.status != 200) return not_heard(answer, enrolment.address);
  auto settled = enrolment;
  settled.predecessor.reset();
  ZKV_TRY(const auto object, protocol::parse_object(answer.body, kAnswerLimit));
  ZKV_TRY(settled.name, protocol::Members(object).text("name", protocol::kLongestName));
  ZKV_CHECK(folder.store(settled));
  return settled;
}

}  // namespace zkv::host
