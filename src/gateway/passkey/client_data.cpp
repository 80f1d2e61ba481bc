// What the browser saw, from JSON.
#include "gateway/passkey/parts.h"
#include "protocol/json_members.h"

namespace zkv::gateway::passkey {

namespace {

Result<ClientData> read_client_data(const protocol::Members& members) {
  ClientData data;
  ZKV_TRY(data.type, members.text("type", kLargestClientData));
  ZKV_TRY(data.challenge, members.text("challenge", kLargestClientData));
  ZKV_TRY(data.origin, members.text("origin", kLargestClientData));
  if (members.has("crossOrigin")) {
    ZKV_TRY(data.is_cross_origin, members.boolean("crossOrigin"));
  }
  data.is_cross_origin = data.is_cross_origin || members.has("topOrigin");
  return data;
}

}  // namespace

Result<ClientData> parse_client_data(std::span<const std::uint8_t> json) {
  auto object =
      protocol::parse_object({reinterpret_cast<const char*>(json.data()), json.size()}, kLargestClientData);
  if (!object) return std::move(object).error().context("clientDataJSON");
  auto data = read_client_data(protocol::Members(*object));
  if (!data) return std::move(data).error().context("clientDataJSON");
  return data;
}

}  // namespace zkv::gateway::passkey
