// Certificates for unit tests: an issuer of its own, and server certificates of any name and time.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace zkv::test {

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

struct Certificate {
  std::unique_ptr<EVP_PKEY, KeyFree> key;
  std::unique_ptr<X509, X509Free> certificate;
};

struct CertificateOptions {
  std::string names = "DNS:localhost,IP:127.0.0.1";  ///< subjectAltName
  std::chrono::hours valid_from{-1};                 ///< from now
  std::chrono::hours valid_until{24};
};

/// Signed by itself; can sign others.
Certificate make_issuer();
Certificate make_certificate(const Certificate& issuer, const CertificateOptions& options = {});
void write_pem(const Certificate& certificate, const std::filesystem::path& path);

/// A directory that is removed with this.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace zkv::test
