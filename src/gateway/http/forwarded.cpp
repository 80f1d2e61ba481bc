// Walking the list of hops from the right, as long as the one who wrote it is trusted.
#include "gateway/http/forwarded.h"

#include <string>
#include <vector>

namespace zkv::gateway::http {

namespace {

/// All fields of that name, split at commas, blanks taken off.
std::vector<std::string> list_of(const boost::beast::http::fields& headers, std::string_view name) {
  std::vector<std::string> list;
  const auto [begin, end] = headers.equal_range(boost::beast::string_view(name.data(), name.size()));
  for (auto field = begin; field != end; ++field) {
    std::string_view rest(field->value().data(), field->value().size());
    while (true) {
      const auto comma = rest.find(',');
      auto item = rest.substr(0, comma);
      while (item.starts_with(' ') || item.starts_with('\t')) item.remove_prefix(1);
      while (item.ends_with(' ') || item.ends_with('\t')) item.remove_suffix(1);
      list.emplace_back(item);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return list;
}

/// An address as proxies write it: alone, with a port, in brackets.
std::optional<AddressBytes> parse_hop(std::string_view text) {
  if (text.starts_with('[')) return parse_address(text.substr(1, text.find(']') - 1));
  if (const auto address = parse_address(text)) return address;
  return parse_address(text.substr(0, text.find(':')));
}

}  // namespace

Origin origin_of(const Origin& peer, const boost::beast::http::fields& headers,
                 std::span<const Network> trusted) {
  if (!contains(trusted, peer.address)) return peer;
  Origin origin = peer;
  const auto hops = list_of(headers, "X-Forwarded-For");
  for (auto hop = hops.rbegin(); hop != hops.rend() && contains(trusted, origin.address); ++hop) {
    const auto address = parse_hop(*hop);
    if (!address) break;
    origin.address = *address;
  }
  const auto schemes = list_of(headers, "X-Forwarded-Proto");
  if (!schemes.empty()) origin.secure = schemes.back() == "https";
  return origin;
}

}  // namespace zkv::gateway::http
