// Heartbeats to JSON and back.
#include "protocol/heartbeat.h"

#include <array>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/plain_text.h"
#include "protocol/json_members.h"

namespace zkv::protocol {

namespace {

constexpr std::size_t kLongestVersion = 100;
constexpr std::size_t kLongestReason = 300;
constexpr std::array<std::pair<ShareState, std::string_view>, 3> kShareWords{
    {{ShareState::kThere, "there"}, {ShareState::kMissing, "missing"}, {ShareState::kUnknown, "unknown"}}};

Result<ShareState> share_state_from(std::string_view text) {
  for (const auto& [state, word] : kShareWords) {
    if (word == text) return state;
  }
  return Error::invalid("the message is misshapen: 'share' is a word that is not known");
}

std::string shortened(std::string_view text, std::size_t longest) {
  const auto is_inside = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
  };
  if (text.size() > longest) {
    while (longest > 0 && is_inside(longest)) --longest;
    text = text.substr(0, longest);
  }
  return std::string(text);
}

}  // namespace

std::string_view to_text(ShareState state) {
  for (const auto& [known, word] : kShareWords) {
    if (known == state) return word;
  }
  return "unknown";
}

std::string as_finding(std::string_view text) { return shortened(plain_text(text), kLongestFinding); }

std::string to_body(const Heartbeat& heartbeat) {
  const boost::json::array lines(heartbeat.findings.begin(), heartbeat.findings.end());
  return boost::json::serialize(boost::json::object{
      {"host", to_hex(heartbeat.host)},
      {"gateway", to_hex(heartbeat.gateway)},
      {"time", number_of(heartbeat.time)},
      {"version", heartbeat.version},
      {"repository", {{"id", to_hex(heartbeat.repository)}, {"generation", heartbeat.generation}}},
      {"findings", {{"count", heartbeat.count}, {"lines", lines}}}});
}

std::string to_body(const HeartbeatAnswer& answer) {
  boost::json::object object{{"heartbeat", to_hex(answer.heartbeat)},
                             {"host", to_hex(answer.host)},
                             {"gateway", to_hex(answer.gateway)},
                             {"share", to_text(answer.share)},
                             {"time", number_of(answer.time)}};
  if (!answer.why.empty()) object["why"] = shortened(answer.why, kLongestReason);
  if (answer.share_expires) object["share_expires"] = number_of(*answer.share_expires);
  return boost::json::serialize(object);
}

template <>
Result<Heartbeat> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  Heartbeat heartbeat;
  ZKV_TRY(heartbeat.host, members.hex<sizeof(KeyId)>("host"));
  ZKV_TRY(heartbeat.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(heartbeat.time, members.time("time"));
  ZKV_TRY(heartbeat.version, members.text("version", kLongestVersion));
  ZKV_TRY(const auto repository, members.object("repository"));
  ZKV_TRY(heartbeat.repository, repository.hex<sizeof(RepositoryId)>("id"));
  ZKV_TRY(heartbeat.generation, repository.number("generation", kLatestTime));
  ZKV_TRY(const auto findings, members.object("findings"));
  ZKV_TRY(heartbeat.count, findings.number("count", kHighestCount));
  ZKV_TRY(heartbeat.findings, findings.texts("lines", kMostFindings, kLongestFinding));
  if (heartbeat.findings.size() <= heartbeat.count) return heartbeat;
  return Error::invalid("the message is misshapen: there are more lines than findings");
}

template <>
Result<HeartbeatAnswer> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  HeartbeatAnswer answer;
  ZKV_TRY(answer.heartbeat, members.hex<sizeof(RequestHash)>("heartbeat"));
  ZKV_TRY(answer.host, members.hex<sizeof(KeyId)>("host"));
  ZKV_TRY(answer.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(const auto share, members.text("share", kLongestVersion));
  ZKV_TRY(answer.share, share_state_from(share));
  ZKV_TRY(answer.time, members.time("time"));
  if (members.has("why")) {
    ZKV_TRY(answer.why, members.text("why", kLongestReason));
  }
  if (members.has("share_expires")) {
    ZKV_TRY(answer.share_expires, members.time("share_expires"));
  }
  return answer;
}

}  // namespace zkv::protocol
