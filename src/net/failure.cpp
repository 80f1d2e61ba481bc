// What a failed exchange is called: a sentence for each way in which a connection, TLS or an answer goes
// wrong.
#include <fmt/core.h>

#include <cerrno>
#include <cstring>

#include "base/time.h"
#include "net/exchange.h"

namespace zkv::net {

namespace {

// Results of OpenSSL's certificate check, as CURLINFO_SSL_VERIFYRESULT gives them; openssl/x509_vfy.h.
constexpr long kNotYetValid = 9;
constexpr long kHasExpired = 10;
constexpr long kSelfSigned = 18;
constexpr long kSelfSignedInChain = 19;
constexpr long kNoLocalIssuer = 20;
constexpr long kNoLeafSignature = 21;

double seconds(std::chrono::milliseconds time) { return static_cast<double>(time.count()) / 1000.0; }

std::string join(const std::vector<std::string>& words) {
  std::string joined;
  for (const auto& word : words) joined += (joined.empty() ? "" : ", ") + word;
  return joined;
}

}  // namespace

Error Exchange::failure(CURLcode code) const {
  const std::string where = address_.shown();
  const std::string detail = detail_[0] != '\0' ? detail_.data() : curl_.easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return Error::unavailable(fmt::format("the name '{}' cannot be resolved", address_.host))
          .remedy("check the name, and that the network and DNS are up");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Error::unavailable(fmt::format("{}: the proxy's name cannot be resolved", where))
          .remedy("check https_proxy and no_proxy in the environment");
    case CURLE_COULDNT_CONNECT:
      return refused();
    case CURLE_OPERATION_TIMEDOUT:
      return time_out();
    case CURLE_PEER_FAILED_VERIFICATION:
      return untrusted();
    case CURLE_SSL_CACERT_BADFILE:
      return Error::invalid(fmt::format("{}: the trusted certificates in {} cannot be read", where,
                                        options_.ca_file.empty() ? "the system's store" : options_.ca_file))
          .remedy(options_.ca_file.empty() ? "install the package ca-certificates, or give --cafile"
                                           : "give a PEM file with --cafile");
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return Error::denied(fmt::format("{}: the server has another key than the one that was pinned", where))
          .remedy(
              "if its certificate was renewed with a new key, enrol again; otherwise somebody stands "
              "between");
    case CURLE_SSL_CONNECT_ERROR:
      return Error::unavailable(fmt::format("{}: no TLS connection: {}", where, detail))
          .remedy("check that a TLS server listens there, and not plain http");
    case CURLE_WRITE_ERROR:
      if (!is_too_long_) break;
      return Error::unavailable(
                 fmt::format("{}: the answer is longer than {} bytes", where, request_.response_limit))
          .remedy("check that the address is right");
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return Error::unavailable(
                 fmt::format("{}: the connection was cut off before the answer was whole", where))
          .remedy("try again; look at the log of the server or the proxy in between");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return Error::unavailable(fmt::format("{}: what answers there does not speak HTTP", where))
          .remedy("check host and port, and whether the address should begin with https://");
    default:
      break;
  }
  return Error::unavailable(fmt::format("{}: {}", where, detail));
}

Error Exchange::time_out() const {
  const std::string where = address_.shown();
  if (info<double>(CURLINFO_NAMELOOKUP_TIME) <= 0) {
    return Error::unavailable(fmt::format("the name '{}' was not resolved within {} s", address_.host,
                                          seconds(request_.connect_timeout)))
        .remedy("check that the network and DNS are up");
  }
  if (info<long>(CURLINFO_LOCAL_PORT) == 0 && options_.unix_socket.empty()) {
    return Error::unavailable(fmt::format("{} did not take the connection within {} s", where,
                                          seconds(request_.connect_timeout)))
        .remedy("check the address, and firewalls in between");
  }
  if (address_.is_secure() && info<double>(CURLINFO_APPCONNECT_TIME) <= 0) {
    return Error::unavailable(fmt::format("{} took the connection, but no TLS within {} s", where,
                                          seconds(request_.connect_timeout)))
        .remedy("check that a TLS server listens there");
  }
  return Error::unavailable(
             fmt::format("{} gave no whole answer within {} s", where, seconds(request_.timeout)))
      .remedy("try again, or allow more time");
}

Error Exchange::refused() const {
  const auto number = static_cast<int>(info<long>(CURLINFO_OS_ERRNO));
  const std::string place = options_.unix_socket.empty()
                                ? fmt::format("{} port {}", address_.host, address_.port)
                                : options_.unix_socket;
  const bool is_the_proxy = options_.unix_socket.empty() &&
                            std::string_view(detail_.data()).find(address_.host) == std::string_view::npos;
  if (is_the_proxy) {
    return Error::unavailable(fmt::format("{}: the proxy does not answer", address_.shown()))
        .remedy("check https_proxy and no_proxy in the environment");
  }
  if (number == ECONNREFUSED) {
    return Error::unavailable(fmt::format("nothing listens at {} (connection refused)", place))
        .remedy("check that the server runs, and the port");
  }
  return Error::unavailable(fmt::format("no connection to {}: {}", place,
                                        number != 0 ? std::strerror(number) : detail_.data()))
      .remedy("check the address and the network");
}

Error Exchange::untrusted() const {
  const std::string certificate = fmt::format("the certificate of {}", address_.shown());
  const char* trust =
      options_.ca_file.empty()
          ? "give the certificate of its issuer with --cafile, after checking that it is genuine"
          : "check that --cafile holds the certificate of its issuer";
  switch (info<long>(CURLINFO_SSL_VERIFYRESULT)) {
    case kHasExpired:
      return Error::unavailable(certificate + " has expired")
          .remedy(
              fmt::format("renew it there; or this machine's clock is wrong: it says {}", to_text(now())));
    case kNotYetValid:
      return Error::unavailable(certificate + " is not valid yet")
          .remedy(fmt::format("this machine's clock is probably wrong: it says {}; set it", to_text(now())));
    case kSelfSigned:
      return Error::unavailable(certificate + " is self-signed and not trusted here").remedy(trust);
    case kSelfSignedInChain:
    case kNoLocalIssuer:
    case kNoLeafSignature:
      return Error::unavailable(certificate + " is from an issuer that is not trusted here").remedy(trust);
    default:
      break;
  }
  if (const auto names = certificate_lines("X509v3 Subject Alternative Name:"); !names.empty()) {
    return Error::unavailable(fmt::format("{} is for another name: it holds {}", certificate, join(names)))
        .remedy("use one of these names in the address, or renew the certificate with the right one");
  }
  return Error::unavailable(fmt::format("{} is refused: {}", certificate, detail_.data()));
}

/// What libcurl tells of the server's own certificate after `heading`.
std::vector<std::string> Exchange::certificate_lines(std::string_view heading) const {
  std::vector<std::string> lines;
  const auto* chain = info<curl_certinfo*>(CURLINFO_CERTINFO);
  if (chain == nullptr || chain->num_of_certs == 0) return lines;
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    const std::string_view text(line->data);
    if (text.starts_with(heading)) lines.emplace_back(text.substr(heading.size()));
  }
  return lines;
}

}  // namespace zkv::net
