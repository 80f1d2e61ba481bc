// Who the client is behind proxies: lines of X-Forwarded-For; a line that begins with '=' is of -Proto.
#include "gateway/http/forwarded.h"

#include <array>

#include "fuzz.h"

namespace zkv::fuzz_forwarded {
namespace {

using namespace zkv::gateway;  // NOLINT(google-build-using-namespace)

boost::beast::http::fields fields_of(std::string_view lines) {
  boost::beast::http::fields fields;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    const auto line = lines.substr(0, end);
    const bool is_scheme = line.starts_with('=');
    const auto value = line.substr(is_scheme ? 1 : 0);
    fields.insert(is_scheme ? "X-Forwarded-Proto" : "X-Forwarded-For",
                  boost::beast::string_view(value.data(), value.size()));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return fields;
}

}  // namespace

ZKV_FUZZ_TARGET(forwarded) {
  static const std::array trusted{Network::parse("10.0.0.0/8").value(), Network::parse("::1").value()};
  const auto fields = fields_of(fuzz::text_of({data, size}));
  const http::Origin proxy{.address = parse_address("10.1.2.3").value(), .secure = false};
  const http::Origin stranger{.address = parse_address("192.0.2.7").value(), .secure = false};

  const auto seen = http::origin_of(proxy, fields, trusted);
  fuzz::require(parse_address(to_text(seen.address)) == seen.address, "the client has an address");
  const auto unseen = http::origin_of(stranger, fields, trusted);
  fuzz::require(unseen.address == stranger.address && !unseen.secure, "a stranger's headers change nothing");
  return 0;
}

}  // namespace zkv::fuzz_forwarded
