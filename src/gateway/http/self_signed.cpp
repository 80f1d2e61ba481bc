// X.509 by OpenSSL: RFC 5280, names in the subjectAltName (RFC 6125).
#include "gateway/http/self_signed.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

#include "gateway/http/tls_context.h"
#include "gateway/settings/network.h"

namespace zkv::gateway::http {

namespace {

constexpr long kHour = 3'600;
constexpr long kTenYears = 10L * 365 * 24 * kHour;
constexpr int kSerialBytes = 16;
constexpr std::size_t kLongestCertificateName = 253;

struct OpenSslDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <class T>
using Owned = std::unique_ptr<T, OpenSslDeleter>;

Error failed(const std::string& what) { return Error::internal(what + ": " + openssl_error_text()); }

bool is_certificate_name(const std::string& name) {
  static constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:";
  return !name.empty() && name.size() <= kLongestCertificateName &&
         name.find_first_not_of(kAllowed) == std::string::npos;
}

Result<std::string> alternative_names(const std::vector<std::string>& names) {
  if (names.empty()) return Error::invalid("a certificate needs at least one name");
  std::string text;
  for (const auto& name : names) {
    if (!is_certificate_name(name)) {
      return Error::invalid("'" + name + "' cannot be a name in a certificate")
          .remedy("give the host name or IP address by which hosts reach the gateway");
    }
    const bool is_address = parse_address(name).has_value();
    text += (text.empty() ? "" : ",") + std::string(is_address ? "IP:" : "DNS:") + name;
  }
  return text;
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes{};
  if (RAND_bytes(bytes.data(), kSerialBytes) != 1) return false;
  bytes[0] &= 0x7f;
  const Owned<BIGNUM> number(BN_bin2bn(bytes.data(), kSerialBytes, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool fill_in(X509* certificate, EVP_PKEY* key, const std::string& common_name, const std::string& names) {
  constexpr long kVersion3 = 2;
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_set_version(certificate, kVersion3) == 1 && set_serial(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kHour) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kTenYears) != nullptr &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_alt_name, names);
}

SecretBytes contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return SecretBytes::copy_of(std::string_view(data, static_cast<std::size_t>(std::max(size, 0L))));
}

}  // namespace

Result<SelfSigned> make_self_signed(const std::vector<std::string>& names) {
  constexpr std::size_t kLongestCommonName = 64;
  ZKV_TRY(const auto alternatives, alternative_names(names));
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> certificate(X509_new());
  const auto common_name = names.front().substr(0, kLongestCommonName);
  if (!key || !certificate || !fill_in(certificate.get(), key.get(), common_name, alternatives) ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
    return failed("making a certificate");
  }
  const Owned<BIO> public_text(BIO_new(BIO_s_mem()));
  const Owned<BIO> secret_text(BIO_new(BIO_s_secmem()));
  if (!public_text || !secret_text || PEM_write_bio_X509(public_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(secret_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return failed("writing a certificate");
  }
  return SelfSigned{std::string(contents(public_text.get()).view()), contents(secret_text.get())};
}

}  // namespace zkv::gateway::http
