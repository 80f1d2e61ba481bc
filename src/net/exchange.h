// One request and its answer on one libcurl handle, from setting it up to taking it down.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <stop_token>

#include "net/address.h"
#include "net/curl_library.h"
#include "net/http_client.h"

namespace zkv::net {

/// Used once: the handle, with all its buffers, is wiped and freed with it.
class Exchange {
 public:
  /// `options`, `request` and `address` outlive this.
  Exchange(const CurlLibrary& curl, const HttpOptions& options, const HttpRequest& request,
           const Address& address);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Runs on `multi` until the answer is whole, something fails, or `stop` is requested. Redirects are
  /// answers. Errors: as HttpClient::send.
  Result<HttpResponse> run(CURLM* multi, const std::stop_token& stop);

 private:
  struct EasyCleanup {
    const CurlLibrary* curl;
    void operator()(CURL* easy) const { curl->easy_cleanup(easy); }
  };
  struct ListCleanup {
    const CurlLibrary* curl;
    void operator()(curl_slist* list) const { curl->slist_free_all(list); }
  };

  Result<> set_up();
  void set_transport();
  void set_tls();
  void set_body();
  Result<> set_headers();
  Result<> add_header(const std::string& name, std::string_view value);
  Result<CURLcode> perform(CURLM* multi, const std::stop_token& stop);
  Error failure(CURLcode code) const;
  Error time_out() const;
  Error refused() const;
  Error untrusted() const;
  [[nodiscard]] std::vector<std::string> certificate_lines(std::string_view heading) const;
  [[nodiscard]] std::optional<Time> certificate_end() const;

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_.easy_setopt(easy_.get(), option, value);
  }
  template <class Value>
  Value info(CURLINFO what) const {
    Value value{};
    curl_.easy_getinfo(easy_.get(), what, &value);
    return value;
  }

  static std::size_t on_header(char* text, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static CURLcode on_tls_context(CURL* easy, void* context, void* self);
  static int on_connected(void* self, char* far_ip, char* near_ip, int far_port, int near_port);

  const CurlLibrary& curl_;
  const HttpOptions& options_;
  const HttpRequest& request_;
  const Address& address_;
  std::unique_ptr<curl_slist, ListCleanup> headers_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
  HttpResponse response_;
  SecretBuilder body_;
  std::size_t header_bytes_ = 0;
  bool is_too_long_ = false;
  std::unique_ptr<CURL, EasyCleanup> easy_;  ///< last: it points at the others
};

}  // namespace zkv::net
