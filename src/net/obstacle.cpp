// What an exchange tells beside its error: what was in the way, and until when the server's certificates
// hold.
#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "net/exchange.h"

namespace zkv::net {

namespace {

constexpr std::string_view kEnds = "Expire date:";
/// Of connect(2), where no packet has reached the far side.
constexpr std::array kNoRoute{ENETUNREACH, ENETDOWN, EHOSTUNREACH, EADDRNOTAVAIL};

/// As OpenSSL prints a time: "Nov 28 08:57:36 2026 GMT".
std::optional<Time> certificate_time(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%b %d %H:%M:%S %Y", &parts);
  if (end == nullptr) return std::nullopt;
  return Time(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

Obstacle Exchange::obstacle(CURLcode code) const {
  const bool is_resolved = !options_.unix_socket.empty() || info<double>(CURLINFO_NAMELOOKUP_TIME) > 0;
  const bool is_connected = info<long>(CURLINFO_LOCAL_PORT) != 0;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Obstacle::kName;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CONNECT_ERROR:
      return Obstacle::kTrust;
    case CURLE_COULDNT_CONNECT:
      return std::ranges::count(kNoRoute, info<long>(CURLINFO_OS_ERRNO)) > 0 ? Obstacle::kRoute
                                                                             : Obstacle::kConnection;
    case CURLE_OPERATION_TIMEDOUT:
      if (!is_resolved) return Obstacle::kName;
      return is_connected && address_.is_secure() && info<double>(CURLINFO_APPCONNECT_TIME) <= 0
                 ? Obstacle::kTrust
                 : Obstacle::kConnection;
    default:
      return Obstacle::kConnection;
  }
}

std::optional<Time> Exchange::certificates_end() const {
  std::optional<Time> first;
  const auto* chain = info<curl_certinfo*>(CURLINFO_CERTINFO);
  for (int i = 0; chain != nullptr && i < chain->num_of_certs; ++i) {
    for (const curl_slist* line = chain->certinfo[i]; line != nullptr; line = line->next) {
      const std::string text(line->data);
      if (!text.starts_with(kEnds)) continue;
      const auto ends = certificate_time(text.substr(kEnds.size()));
      if (ends && (!first || *ends < *first)) first = ends;
    }
  }
  return first;
}

}  // namespace zkv::net
