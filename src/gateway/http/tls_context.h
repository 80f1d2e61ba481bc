// The server's certificate and how it speaks TLS; the certificate can be read again while connections live.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/hash.h"

namespace zkv::gateway::http {

struct SslDeleter {
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslSession = std::unique_ptr<SSL, SslDeleter>;

/// What OpenSSL's queue of errors of this thread says, emptied.
std::string openssl_error_text();

/// TLS 1.2 and 1.3, session tickets, ALPN http/1.1. Thread-safe.
class TlsContext {
 public:
  /// PEM files. Errors: kInvalid, naming the file and what is wrong with it; kIo.
  static Result<std::unique_ptr<TlsContext>> load(std::filesystem::path certificate,
                                                  std::filesystem::path key);

  /// Reads the files again for sessions to come. Errors as load; the old certificate then stays.
  Result<> reload();
  /// A server's session on a non-blocking socket, which it does not own.
  [[nodiscard]] SslSession make_session(int socket);

  /// SHA-256 of the certificate's SubjectPublicKeyInfo, when it is signed by itself, so that only a pin can
  /// vouch for it.
  [[nodiscard]] std::optional<crypto::Sha256> self_signed_pin();

  [[nodiscard]] const std::filesystem::path& certificate() const { return certificate_; }
  [[nodiscard]] const std::filesystem::path& key() const { return key_; }

 private:
  TlsContext(std::filesystem::path certificate, std::filesystem::path key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  std::filesystem::path certificate_;
  std::filesystem::path key_;
  std::mutex mutex_;
  std::unique_ptr<SSL_CTX, SslDeleter> context_;
};

}  // namespace zkv::gateway::http
