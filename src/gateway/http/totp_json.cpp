// Codes of authenticator apps, as JSON; and the QR code that apps take, drawn here so that the page needs no
// program for it.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "gateway/http/people_json.h"
#include "gateway/totp/code.h"
#include "qr/qr_code.h"

namespace zkv::gateway::http {

boost::json::object totp_json(const TotpState& state, const std::vector<std::string>& groups) {
  const bool is_locked = state.locked_until > now();
  return {{"groups", boost::json::array(groups.begin(), groups.end())},
          {"state", !state.is_set     ? "none"
                    : state.has_begun ? "active"
                                      : "begun"},
          {"made_at", time_or_null(state.made_at)},
          {"locked_until", time_or_null(is_locked ? state.locked_until : Time())}};
}

Reply new_totp_reply(const NewTotp& totp, const std::string& gateway_name) {
  const auto uri = totp::key_uri(totp.secret, "zfs-keyvault at " + gateway_name, totp.name);
  const auto text = totp::to_base32(totp.secret);
  const QrCode code(uri.view());
  const auto path = svg_path(code);
  SecretBuilder body;
  body.append(R"({"secret":")");
  body.append(text.span());
  body.append(R"(","uri":")");
  body.append(uri.span());
  body.append(R"(","qr":{"size":)" + std::to_string(code.width()) + R"(,"path":")");
  body.append(path.span());
  body.append(R"("}})");
  Reply reply = json(201, std::string());
  reply.secret = std::make_shared<const SecretBytes>(body.take());
  return reply;
}

}  // namespace zkv::gateway::http
