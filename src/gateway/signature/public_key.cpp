// ES256 and RS256 by OpenSSL, Ed25519 by libsodium. Not by libfido2: it knows no RSA key but of 2048 bits,
// and takes no assertion with an extension that it does not know.
#include "gateway/signature/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>

namespace zkv::gateway {

namespace {

constexpr std::size_t kCoordinate = 32;
constexpr std::array<std::uint8_t, 3> kF4{1, 0, 1};  // 65537, which every authenticator takes
constexpr int kLeastModulus = 2048, kMostModulus = 4096;

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(std::uint8_t* bytes) const { OPENSSL_free(bytes); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

/// Leaves no error of ours in the thread's queue, where the TLS of the same thread would take it for its own.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
  ~QuietErrors() { ERR_pop_to_mark(); }
};

Error no_key(const std::string& how) { return Error::invalid(how); }

Owned<BIGNUM> number(std::span<const std::uint8_t> bytes) {
  return Owned<BIGNUM>(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

}  // namespace

void PublicKey::Free::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

PublicKey::Handle PublicKey::import(const char* type, OSSL_PARAM* parameters) {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || parameters == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
  return Handle(key);
}

Result<PublicKey> PublicKey::p256(std::span<const std::uint8_t> x, std::span<const std::uint8_t> y) {
  if (x.size() != kCoordinate || y.size() != kCoordinate) return no_key("has coordinates not of 32 bytes");
  std::array<std::uint8_t, 1 + 2 * kCoordinate> point{POINT_CONVERSION_UNCOMPRESSED};
  std::ranges::copy(y, std::ranges::copy(x, point.begin() + 1).out);
  std::string curve = "P-256";
  std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end(),
  };
  const QuietErrors quiet;
  auto key = import("EC", parameters.data());  // which refuses a point that is not on the curve
  if (!key) return no_key("is no point of P-256");
  return PublicKey(std::move(key));
}

Result<PublicKey> PublicKey::rsa(std::span<const std::uint8_t> modulus,
                                 std::span<const std::uint8_t> exponent) {
  const QuietErrors quiet;
  const auto n = number(modulus);
  const auto e = number(exponent);
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder) return Error::internal("no memory for a public key");
  if (!std::ranges::equal(exponent, kF4)) return no_key("has an RSA exponent other than 65537");
  if (BN_num_bits(n.get()) < kLeastModulus || BN_num_bits(n.get()) > kMostModulus ||
      BN_is_odd(n.get()) == 0) {
    return no_key("is no RSA key of 2048 to 4096 bits");
  }
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  auto key = import("RSA", parameters.get());
  if (!key) return no_key("is no RSA key");
  return PublicKey(std::move(key));
}

bool PublicKey::verifies(std::span<const std::uint8_t> message,
                         std::span<const std::uint8_t> signature) const {
  if (const auto* ed25519 = std::get_if<crypto::VerifyingKey>(&key_)) {
    return crypto::verifies(*ed25519, message, signature);
  }
  const QuietErrors quiet;
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, std::get<Handle>(key_).get()) ==
             1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

bool PublicKey::verifies_joined(std::span<const std::uint8_t> message,
                                const crypto::Signature& signature) const {
  const auto r_and_s = std::span(signature);
  auto r = number(r_and_s.first(kCoordinate));
  auto s = number(r_and_s.subspan(kCoordinate));
  const Owned<ECDSA_SIG> both(ECDSA_SIG_new());
  if (!r || !s || !both) return false;
  ECDSA_SIG_set0(both.get(), r.release(), s.release());
  std::uint8_t* written = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &written);
  const Owned<std::uint8_t> der(written);
  return size > 0 && verifies(message, {der.get(), static_cast<std::size_t>(size)});
}

}  // namespace zkv::gateway
