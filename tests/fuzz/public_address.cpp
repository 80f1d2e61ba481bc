// What the setting public-url makes passkeys be bound to; the first byte says what the gateway listens on.
#include "gateway/http/public_address.h"

#include "fuzz.h"
#include "gateway/settings/values.h"

namespace zkv::fuzz_public_address {
namespace {

using namespace zkv::gateway;  // NOLINT(google-build-using-namespace)

void check_party(const passkey::RelyingParty& party) {
  fuzz::require(!party.id.empty() && party.id.find_first_of(":/@?#[] ") == std::string::npos,
                "what passkeys are bound to is a name alone");
  fuzz::require(!parse_address(party.id), "and no IP address");
  fuzz::require(std::ranges::none_of(party.id, [](char c) { return c >= 'A' && c <= 'Z'; }),
                "in lower case, as browsers write it");
  const std::string scheme = http::is_https(party) ? "https://" : "http://";
  fuzz::require(scheme == "https://" || party.id == "localhost", "without https there is only localhost");
  fuzz::require(party.origin.starts_with(scheme + party.id), "the origin is of that name");
  const auto port = party.origin.substr(scheme.size() + party.id.size());
  fuzz::require(port.find('/') == std::string::npos, "an origin has no path");
  fuzz::require(port != (scheme == "https://" ? ":443" : ":80") && port != ":",
                "a default port is not named");
}

}  // namespace

ZKV_FUZZ_TARGET(public_address) {
  static const auto loopback = parse_address("127.0.0.1").value();
  static const auto everywhere = parse_address("0.0.0.0").value();
  fuzz::Pieces pieces({data, size});
  const auto way = pieces.byte();
  const auto url = parse_public_url(fuzz::text_of(pieces.rest()));
  const auto party =
      http::relying_party(url ? *url : "", (way & 1U) != 0 ? loopback : everywhere, 8443, (way & 2U) != 0);
  if (party) {
    check_party(*party);
  } else {
    fuzz::require_words(party.error());
    fuzz::require(party.error().name() == "public-url", "what is wrong is the setting");
  }
  return 0;
}

}  // namespace zkv::fuzz_public_address
