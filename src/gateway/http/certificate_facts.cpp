// Reading a certificate by OpenSSL.
#include "gateway/http/certificate_facts.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "base/file.h"

namespace zkv::gateway::http {

namespace {

constexpr std::size_t kLargestCertificateFile = std::size_t{1} << 20U;

struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};

Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return Time(std::chrono::seconds(::timegm(&parts)));
}

bool is_good_for(X509* certificate, const std::string& name) {
  return X509_check_host(certificate, name.c_str(), name.size(), 0, nullptr) == 1 ||
         X509_check_ip_asc(certificate, name.c_str(), 0) == 1;
}

}  // namespace

Result<CertificateFacts> read_certificate(const std::filesystem::path& file, const std::string& name) {
  ZKV_TRY(const auto bytes, read_file(file, kLargestCertificateFile));
  const std::unique_ptr<BIO, CertificateDeleter> text(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  const std::unique_ptr<X509, CertificateDeleter> certificate(
      text ? PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return Error::invalid(file.string() + " holds no certificate in PEM");
  return CertificateFacts{time_of(X509_get0_notAfter(certificate.get())),
                          X509_self_signed(certificate.get(), 0) == 1, is_good_for(certificate.get(), name)};
}

}  // namespace zkv::gateway::http
