// Setting up and running one exchange.
#include "net/exchange.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "base/encoding.h"

namespace zkv::net {

namespace {

constexpr std::size_t kHeaderLimit = 64U << 10U;
constexpr int kPollLimit = 60'000;  // milliseconds; libcurl's own timers end a poll earlier
constexpr std::uint64_t kCleansePlaintext = 1U << 1U;  // SSL_OP_CLEANSE_PLAINTEXT of openssl/ssl.h

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char letter) {
    return (letter < 0x20 && letter != '\t') || letter == 0x7f;
  });
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return lower;
}

}  // namespace

Exchange::Exchange(const CurlLibrary& curl, const HttpOptions& options, const HttpRequest& request,
                   const Address& address)
    : curl_(curl),
      options_(options),
      request_(request),
      address_(address),
      headers_(nullptr, {&curl}),
      easy_(curl.easy_init(), {&curl}) {}

Result<HttpResponse> Exchange::run(CURLM* multi, const std::stop_token& stop) {
  if (easy_ == nullptr) return Error::internal("libcurl cannot start an exchange");
  ZKV_CHECK(set_up());
  ZKV_TRY(const CURLcode code, perform(multi, stop));
  if (code != CURLE_OK) return failure(code);
  response_.status = info<long>(CURLINFO_RESPONSE_CODE);
  response_.body = body_.take();
  response_.certificate_ends = certificate_end();
  return std::move(response_);
}

/// OpenSSL writes dates in another form than other libraries; libcurl reads both.
std::optional<Time> Exchange::certificate_end() const {
  const auto lines = certificate_lines("Expire date:");
  const auto at = lines.empty() ? -1 : curl_.getdate(lines.front().c_str(), nullptr);
  return at < 0 ? std::nullopt : std::optional(Time(std::chrono::seconds(at)));
}

Result<> Exchange::set_up() {
  set(CURLOPT_URL, address_.url.c_str());
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  set(CURLOPT_ERRORBUFFER, detail_.data());
  set(CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  if (request_.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  set_transport();
  set_tls();
  set_body();
  return set_headers();
}

void Exchange::set_transport() {
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a stopped exchange does not wait for a name that nobody resolves
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);  // a far side that vanished is noticed within the long wait for a person
  set(CURLOPT_TCP_KEEPIDLE, 30L);
  set(CURLOPT_TCP_KEEPINTVL, 10L);
  set(CURLOPT_PREREQFUNCTION, &Exchange::on_connected);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  if (!options_.unix_socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str());
  if (!address_.is_secure() && address_.is_loopback()) set(CURLOPT_PROXY, "");
}

void Exchange::set_tls() {
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  set(CURLOPT_CERTINFO, 1L);
  set(CURLOPT_SSL_CTX_FUNCTION, &Exchange::on_tls_context);
  set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(this));
  if (options_.pinned_key) {
    set(CURLOPT_PINNEDPUBLICKEY, ("sha256//" + to_base64(*options_.pinned_key, Base64::kStandard)).c_str());
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (options_.ca_file.empty()) return;
  set(CURLOPT_CAINFO, options_.ca_file.c_str());
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
}

void Exchange::set_body() {
  if (request_.body.empty() && request_.method != "POST") return;
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set(CURLOPT_POSTFIELDS, request_.body.empty() ? "" : request_.body.view().data());
}

Result<> Exchange::set_headers() {
  for (const auto& [name, value] : request_.headers) ZKV_CHECK(add_header(name, value));
  for (const auto& [name, value] : request_.secret_headers) ZKV_CHECK(add_header(name, value.view()));
  set(CURLOPT_HTTPHEADER, headers_.get());
  return {};
}

Result<> Exchange::add_header(const std::string& name, std::string_view value) {
  if (name.empty() || has_control_character(name) || has_control_character(value)) {
    return Error::invalid(
        fmt::format("the header '{}' holds a control character", has_control_character(name) ? "?" : name));
  }
  SecretBuilder line;
  line.append(name);
  line.append(value.empty() ? ";" : ": ");
  line.append(value);
  line.push_back(0);
  const SecretBytes text = line.take();
  curl_slist* longer = curl_.slist_append(headers_.get(), text.view().data());
  if (longer == nullptr) return Error::internal("libcurl has no memory for a header");
  static_cast<void>(headers_.release());
  headers_.reset(longer);
  return {};
}

Result<CURLcode> Exchange::perform(CURLM* multi, const std::stop_token& stop) {
  if (curl_.multi_add_handle(multi, easy_.get()) != CURLM_OK) return Error::internal("libcurl is in use");
  const std::unique_ptr<CURLM, std::function<void(CURLM*)>> attached(
      multi, [this](CURLM* from) { curl_.multi_remove_handle(from, easy_.get()); });
  const std::stop_callback wake(stop, [this, multi] { curl_.multi_wakeup(multi); });
  int running = 1;
  while (true) {
    if (stop.stop_requested())
      return Error::interrupted("the exchange with " + address_.shown() + " was stopped");
    CURLMcode code = curl_.multi_perform(multi, &running);
    if (code == CURLM_OK && running == 0) break;
    if (code == CURLM_OK) code = curl_.multi_poll(multi, nullptr, 0, kPollLimit, nullptr);
    if (code != CURLM_OK) return Error::internal(std::string("libcurl: ") + curl_.multi_strerror(code));
  }
  int left = 0;
  const CURLMsg* message = curl_.multi_info_read(multi, &left);
  if (message == nullptr) return Error::internal("libcurl ended an exchange without a result");
  return message->data.result;
}

std::size_t Exchange::on_header(char* text, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view line(text, size * count);
  exchange.header_bytes_ += line.size();
  if (exchange.header_bytes_ > kHeaderLimit) {
    exchange.is_too_long_ = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) exchange.response_.headers.clear();
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && colon > 0) {
    exchange.response_.headers.emplace_back(to_lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return line.size();
}

std::size_t Exchange::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view piece(bytes, size * count);
  if (exchange.body_.size() + piece.size() > exchange.request_.response_limit) {
    exchange.is_too_long_ = true;
    return 0;
  }
  exchange.body_.append(piece);
  return piece.size();
}

CURLcode Exchange::on_tls_context(CURL* /*easy*/, void* context, void* self) {
  const auto& exchange = *static_cast<Exchange*>(self);
  if (exchange.curl_.tls_set_options != nullptr) exchange.curl_.tls_set_options(context, kCleansePlaintext);
  return CURLE_OK;
}

int Exchange::on_connected(void* self, char* /*far_ip*/, char* /*near_ip*/, int /*far_port*/,
                           int /*near_port*/) {
  const auto& exchange = *static_cast<Exchange*>(self);
  if (exchange.request_.on_connected) exchange.request_.on_connected();
  return CURL_PREREQFUNC_OK;
}

}  // namespace zkv::net
