// P-256 by OpenSSL: agreement and ES256.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <optional>

#include "gateway/channel/web_push_message.h"

namespace zkv::gateway {

namespace {

constexpr const char* kCurve = "P-256";

struct OpenSslFree {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
  void operator()(EC_GROUP* group) const { EC_GROUP_free(group); }
  void operator()(EC_POINT* point) const { EC_POINT_free(point); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
template <class T>
using Freed = std::unique_ptr<T, OpenSslFree>;

Error no_key() { return Error::invalid("this is no key of the curve P-256"); }

/// A key from its point, and with a secret number from that too; null when the curve has no such.
EVP_PKEY* key_from(const PushPoint& point, const BIGNUM* secret) {
  const Freed<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  const Freed<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  if (!builder || !context ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, kCurve, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1 ||
      (secret != nullptr && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret) != 1)) {
    return nullptr;
  }
  const Freed<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const int selection = secret != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  EVP_PKEY* key = nullptr;
  if (!parameters || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1) {
    return nullptr;
  }
  return key;
}

/// The point that belongs to a secret number; nothing when that is out of the curve's range.
std::optional<PushPoint> point_of(const BIGNUM* secret) {
  const Freed<EC_GROUP> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Freed<EC_POINT> point(group ? EC_POINT_new(group.get()) : nullptr);
  PushPoint encoded{};
  const bool is_in_range =
      group && !BN_is_zero(secret) && BN_cmp(secret, EC_GROUP_get0_order(group.get())) < 0;
  if (!point || !is_in_range ||
      EC_POINT_mul(group.get(), point.get(), secret, nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                         encoded.size(), nullptr) != encoded.size()) {
    return std::nullopt;
  }
  return encoded;
}

/// DER's signature as r ‖ s of 32 bytes each.
Result<Bytes> raw_signature(std::span<const std::uint8_t> der) {
  const unsigned char* data = der.data();
  const Freed<ECDSA_SIG> signature(d2i_ECDSA_SIG(nullptr, &data, static_cast<long>(der.size())));
  Bytes raw(2 * kPushKeySize);
  if (!signature ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), static_cast<int>(kPushKeySize)) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + kPushKeySize,
                   static_cast<int>(kPushKeySize)) < 0) {
    return Error::internal("OpenSSL made a signature that cannot be read");
  }
  return raw;
}

}  // namespace

void PushKey::Deleter::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Result<PushKey> PushKey::from_secret(const SecretBytes& secret) {
  if (secret.size() != kPushKeySize) return no_key();
  const Freed<BIGNUM> number(BN_bin2bn(secret.data(), static_cast<int>(secret.size()), nullptr));
  if (!number) return Error::internal("OpenSSL has no memory for a key");
  const auto point = point_of(number.get());
  if (!point) return no_key();
  Handle handle(key_from(*point, number.get()));
  if (!handle) return no_key();
  return PushKey(std::move(handle), secret.clone(), *point);
}

Result<PushKey> PushKey::make() {
  const Freed<EVP_PKEY> key(EVP_EC_gen(kCurve));
  BIGNUM* taken = nullptr;
  if (!key || EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &taken) != 1) {
    return Error::internal("OpenSSL made no key");
  }
  const Freed<BIGNUM> number(taken);
  SecretBytes secret(kPushKeySize);
  if (BN_bn2binpad(number.get(), secret.data(), static_cast<int>(secret.size())) < 0) return no_key();
  return from_secret(secret);
}

Result<SecretBytes> PushKey::agree(const PushPoint& other) const {
  const Freed<EVP_PKEY> peer(key_from(other, nullptr));
  const Freed<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(handle_.get(), nullptr));
  SecretBytes shared(kPushKeySize);
  std::size_t size = shared.size();
  if (!peer || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), shared.data(), &size) != 1 || size != shared.size()) {
    return no_key();
  }
  return shared;
}

Result<Bytes> PushKey::sign(std::string_view text) const {
  const Freed<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const auto bytes = bytes_of(text);
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, handle_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes.data(), bytes.size()) != 1) {
    return Error::internal("OpenSSL does not sign");
  }
  Bytes der(size);
  if (EVP_DigestSign(context.get(), der.data(), &size, bytes.data(), bytes.size()) != 1) {
    return Error::internal("OpenSSL does not sign");
  }
  return raw_signature(std::span(der).first(size));
}

}  // namespace zkv::gateway
