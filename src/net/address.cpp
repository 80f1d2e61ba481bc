// Addresses by libcurl's own URL parser: the one that connects is the one that judged.
#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "net/curl_library.h"

namespace zkv::net {

namespace {

struct UrlCleanup {
  decltype(&::curl_url_cleanup) cleanup;
  void operator()(CURLU* url) const { cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlCleanup>;

std::string part(const CurlLibrary& curl, CURLU* url, CURLUPart what) {
  char* text = nullptr;
  if (curl.url_get(url, what, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string copy(text);
  curl.free(text);
  return copy;
}

Result<> set_url(const CurlLibrary& curl, CURLU* url, const std::string& text) {
  if (text.find('\0') != std::string::npos) return Error::invalid("an address holds a zero byte");
  if (const CURLUcode code = curl.url_set(url, CURLUPART_URL, text.c_str(), 0); code != CURLUE_OK) {
    return Error::invalid(fmt::format("this is no address: {}", curl.url_strerror(code)))
        .remedy("write it as https://HOST[:PORT][/PATH]");
  }
  return {};
}

std::string normal_host(std::string host) {
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return host;
}

Result<Address> read_url(const CurlLibrary& curl, CURLU* url) {
  Address address;
  address.scheme = part(curl, url, CURLUPART_SCHEME);
  if (address.scheme != "http" && address.scheme != "https") {
    return Error::invalid(fmt::format("an address begins with '{}://'", address.scheme))
        .remedy("use https://");
  }
  address.host = normal_host(part(curl, url, CURLUPART_HOST));
  if (address.host.empty()) return Error::invalid("an address names no host");
  address.port = part(curl, url, CURLUPART_PORT);
  char* whole = nullptr;
  if (curl.url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK) return Error::invalid("this is no address");
  address.url = whole;
  curl.free(whole);
  return address;
}

}  // namespace

std::string Address::shown() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  const std::size_t authority = url.find("://") + 3;
  const std::size_t path = std::min(url.find('/', authority), url.size());
  const std::size_t end = std::min(url.find_first_of("?#", authority), url.size());
  const std::string path_text = path < end ? url.substr(path, end - path) : std::string();
  const bool implied = port == (is_secure() ? "443" : "80");
  return fmt::format("{}://{}{}{}{}", scheme, is_ipv6 ? "[" + host + "]" : host, implied ? "" : ":",
                     implied ? "" : port, path_text == "/" ? "" : path_text);
}

bool Address::is_loopback() const {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == IN_LOOPBACKNET;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1)
    return std::equal(v6.s6_addr, v6.s6_addr + 16, in6addr_loopback.s6_addr);
  return host == "localhost";
}

Result<Address> parse_address(const std::string& text) {
  ZKV_TRY(const CurlLibrary* curl, curl_library());
  const Url url(curl->url(), {curl->url_cleanup});
  ZKV_CHECK(set_url(*curl, url.get(), text));
  return read_url(*curl, url.get());
}

Result<Address> resolve_reference(const Address& base, const std::string& location) {
  ZKV_TRY(const CurlLibrary* curl, curl_library());
  const Url url(curl->url(), {curl->url_cleanup});
  ZKV_CHECK(set_url(*curl, url.get(), base.url));
  ZKV_CHECK(set_url(*curl, url.get(), location));
  return read_url(*curl, url.get());
}

}  // namespace zkv::net
