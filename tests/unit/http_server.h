// A small HTTP(S) server on loopback for unit tests: answers each request with the bytes that a function
// returns.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"
#include "test_certificate.h"

namespace zkv::test {

struct ReceivedRequest {
  std::string head;  ///< request line and headers
  std::string body;
  [[nodiscard]] std::string line() const { return head.substr(0, head.find("\r\n")); }
};

/// What goes back, byte for byte; the connection is closed after it when `then_close`, and `then_hang` keeps
/// it open without a byte until the server ends.
struct RawAnswer {
  std::string bytes;
  bool then_close = false;
  bool then_hang = false;
};

/// 200 (or another status) with that body and a Content-Length.
RawAnswer answer(int status, std::string_view body, const std::string& headers = {});

class HttpServer {
 public:
  using Handler = std::function<RawAnswer(const ReceivedRequest&)>;

  /// Serves TLS with `certificate`, if one is given; on a unix socket at `socket`, if one is given.
  explicit HttpServer(Handler handler, const Certificate* certificate = nullptr,
                      const std::string& socket = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  [[nodiscard]] int port() const { return port_; }
  /// http://127.0.0.1:PORT, or https://localhost:PORT.
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::vector<ReceivedRequest> requests() const;
  [[nodiscard]] int connections() const { return connections_; }
  /// Blocks until that many requests came.
  void await_requests(std::size_t count) const;

 private:
  struct ContextFree {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  struct Connection;

  void accept_all();
  void serve(int fd);
  bool serve_one(Connection& connection);

  Handler handler_;
  std::unique_ptr<SSL_CTX, ContextFree> tls_;
  FileDescriptor listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<ReceivedRequest> requests_;
  std::atomic<std::size_t> request_count_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> is_ending_ = false;
  std::vector<int> open_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

/// A loopback port whose queue of connections is full, so that a further one gets no answer at all.
class FullListener {
 public:
  FullListener();
  [[nodiscard]] int port() const { return port_; }

 private:
  FileDescriptor listener_;
  int port_ = 0;
  std::vector<FileDescriptor> queue_;
};

/// A loopback port at which nothing listens.
int unused_port();

}  // namespace zkv::test
