// The client: what may be sent where, redirects, and handing connections on.
#include "net/http_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "net/address.h"
#include "net/exchange.h"
#include "net/session.h"

namespace zkv::net {

namespace {

constexpr unsigned kRedirectLimit = 5;

Result<> check_plain_http(const HttpOptions& options, const Address& address) {
  const bool is_allowed = address.is_secure() || address.is_loopback() || options.allow_plain_http ||
                          !options.unix_socket.empty();
  if (is_allowed) return {};
  return Error::invalid(fmt::format("{} is plain http, which anybody on the way can read", address.shown()))
      .remedy("use https://, or allow it with --allow-plain-http");
}

Result<HttpResponse> exchange_once(SessionPool& pool, const HttpOptions& options, const HttpRequest& request,
                                   const Address& address, const std::stop_token& stop) {
  ZKV_CHECK(check_plain_http(options, address));
  ZKV_TRY(const CurlLibrary* curl, curl_library());
  ZKV_TRY(Session session, pool.take(*curl));
  auto response = Exchange(*curl, options, request, address).run(session.get(), stop);
  if (response) pool.give_back(std::move(session));
  return response;
}

bool may_follow(const HttpOptions& options, const HttpRequest& request, const HttpResponse& response) {
  constexpr std::array<long, 5> kRedirects = {301, 302, 303, 307, 308};
  return options.follow_redirects && request.secret_headers.empty() && request.method == "GET" &&
         request.body.empty() && response.header("location") &&
         std::find(kRedirects.begin(), kRedirects.end(), response.status) != kRedirects.end();
}

}  // namespace

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [name](const auto& header) { return header.first == name; });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), sessions_(std::make_shared<SessionPool>()) {}

Result<HttpResponse> HttpClient::send(const HttpRequest& request, const std::stop_token& stop) const {
  ZKV_TRY(Address address, parse_address(request.url));
  for (unsigned redirects = 0;; ++redirects) {
    ZKV_TRY(HttpResponse response, exchange_once(*sessions_, options_, request, address, stop));
    if (!may_follow(options_, request, response)) return response;
    if (redirects == kRedirectLimit) {
      return Error::unavailable(
          fmt::format("{} redirects more than {} times", address.shown(), kRedirectLimit));
    }
    ZKV_TRY(Address next, resolve_reference(address, std::string(*response.header("location"))));
    if (address.is_secure() && !next.is_secure()) {
      return Error::unavailable(
                 fmt::format("{} redirects to {}, away from TLS", address.shown(), next.shown()))
          .remedy("give the address that is meant");
    }
    address = std::move(next);
  }
}

}  // namespace zkv::net
