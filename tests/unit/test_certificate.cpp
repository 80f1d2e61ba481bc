// Test certificates by OpenSSL.
#include "test_certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <stdexcept>
#include <vector>

namespace zkv::test {

namespace {

void require(bool is_true, const char* what) {
  if (!is_true) throw std::runtime_error(what);
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  require(extension != nullptr, "extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate blank(const std::string& common_name, std::chrono::seconds from, std::chrono::seconds until) {
  static long serial = 1;
  Certificate made{std::unique_ptr<EVP_PKEY, KeyFree>(EVP_EC_gen("P-256")),
                   std::unique_ptr<X509, X509Free>(X509_new())};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate), until.count());
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return made;
}

}  // namespace

Certificate make_issuer() {
  Certificate made = blank("issuer of a unit test", std::chrono::hours(-48), std::chrono::hours(48));
  X509* certificate = made.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(certificate, made.key.get(), EVP_sha256()) > 0, "sign");
  return made;
}

Certificate make_certificate(const Certificate& issuer, const CertificateOptions& options) {
  Certificate made = blank("server of a unit test", options.valid_from, options.valid_until);
  X509* certificate = made.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  add_extension(certificate, issuer.certificate.get(), NID_subject_alt_name, options.names);
  require(X509_sign(certificate, issuer.key.get(), EVP_sha256()) > 0, "sign");
  return made;
}

void write_pem(const Certificate& certificate, const std::filesystem::path& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  require(file != nullptr, "open");
  PEM_write_X509(file, certificate.certificate.get());
  require(std::fclose(file) == 0, "close");
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "zkv-unit-XXXXXX";
  require(mkdtemp(pattern.data()) != nullptr, "mkdtemp");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() { std::filesystem::remove_all(path_); }

}  // namespace zkv::test
