// Keys by OpenSSL, CBOR by libcbor, JSON as WebAuthn Level 3, §5.8.1.1 writes it.
#include "software_authenticator.h"

#include <cbor.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <utility>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace zkv::test {

namespace {

namespace passkey = gateway::passkey;

struct CborFree {
  void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};
using Item = std::unique_ptr<cbor_item_t, CborFree>;

void must(bool is_true, const char* what) {
  if (!is_true) throw std::runtime_error(what);
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
Bytes big_endian(std::uint32_t number, unsigned size) {
  Bytes out;
  for (unsigned i = size; i-- > 0;) out.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
  return out;
}
Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }
Bytes hash_of(const Bytes& bytes) {
  const auto hash = crypto::sha256(bytes);
  return {hash.begin(), hash.end()};
}
Bytes random_bytes(std::size_t size) {
  const auto secret = crypto::random_secret(size);
  return {secret.span().begin(), secret.span().end()};
}

Item text(const std::string& value) { return Item(cbor_build_stringn(value.data(), value.size())); }
Item bytes(const Bytes& value) { return Item(cbor_build_bytestring(value.data(), value.size())); }
Item boolean(bool value) { return Item(cbor_build_bool(value)); }
Item number(int value) {  // in the shortest form
  const auto size = static_cast<std::uint16_t>(value >= 0 ? value : -1 - value);
  const auto small = static_cast<std::uint8_t>(size);
  if (value >= 0) return Item(size == small ? cbor_build_uint8(small) : cbor_build_uint16(size));
  return Item(size == small ? cbor_build_negint8(small) : cbor_build_negint16(size));
}
Item parsed(const Bytes& value) {
  cbor_load_result result{};
  Item item(cbor_load(value.data(), value.size(), &result));
  must(item != nullptr, "CBOR of a test");
  return item;
}

class Map {
 public:
  explicit Map(std::size_t size) : map_(cbor_new_definite_map(size)) {}
  Map& add(const Item& key, const Item& value) {
    must(cbor_map_add(map_.get(), {key.get(), value.get()}), "cbor_map_add");
    return *this;
  }
  [[nodiscard]] Bytes serialized() const {
    unsigned char* buffer = nullptr;
    std::size_t room = 0;
    const std::size_t size = cbor_serialize_alloc(map_.get(), &buffer, &room);
    Bytes out(buffer, buffer + size);
    free(buffer);  // NOLINT(cppcoreguidelines-no-malloc): libcbor's
    return out;
  }

 private:
  Item map_;
};

Bytes client_data(const char* type, const passkey::Challenge& challenge, const Ceremony& ceremony) {
  return bytes_of(R"({"type":")" + (ceremony.type.empty() ? type : ceremony.type) + R"(","challenge":")" +
                  to_base64(challenge, Base64::kUrlNoPadding) + R"(","origin":")" + ceremony.origin + "\"" +
                  ceremony.more_members + "}");
}

Bytes authenticator_data(const Ceremony& ceremony, std::uint32_t counter, const Bytes& credential) {
  const auto more =
      (credential.empty() ? 0 : kHasCredential) | (ceremony.extensions.empty() ? 0 : kHasExtensions);
  return hash_of(bytes_of(ceremony.rp_id)) + Bytes{static_cast<std::uint8_t>(ceremony.flags | more)} +
         big_endian(counter, 4) + credential + ceremony.extensions;
}

EVP_PKEY* make_key(KeyKind kind) {
  if (kind == KeyKind::kP256) return EVP_EC_gen("P-256");
  if (kind == KeyKind::kEd25519) return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return EVP_RSA_gen(kind == KeyKind::kRsa2048 ? 2048 : 1024);
}

Bytes big_number(EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  must(EVP_PKEY_get_bn_param(key, name, &value) == 1, name);
  Bytes out(static_cast<std::size_t>(BN_num_bytes(value)));
  BN_bn2bin(value, out.data());
  BN_free(value);
  return out;
}

Bytes octets(EVP_PKEY* key) {
  Bytes out(65);
  std::size_t size = 0;
  must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out.data(), out.size(), &size) == 1,
       "key");
  out.resize(size);
  return out;
}

Bytes part(const Bytes& all, std::size_t from, std::size_t size) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace

SoftwareAuthenticator::SoftwareAuthenticator(KeyKind kind)
    : kind_(kind), key_(make_key(kind)), id_(random_bytes(32)) {
  must(key_ != nullptr, "a key");
}

passkey::Registration SoftwareAuthenticator::create(const passkey::Challenge& challenge,
                                                    const Ceremony& ceremony) const {
  const auto data =
      authenticator_data(ceremony, ceremony.counter.value_or(counter_), attested_credential(ceremony));
  Map object(3);
  object.add(text("fmt"), text(ceremony.format))
      .add(text("attStmt"), parsed(ceremony.statement))
      .add(text("authData"), bytes(data));
  return {id_, object.serialized(), client_data("webauthn.create", challenge, ceremony)};
}

passkey::Assertion SoftwareAuthenticator::get(const passkey::Challenge& challenge, const Ceremony& ceremony) {
  const auto json = client_data("webauthn.get", challenge, ceremony);
  ++counter_;
  auto data = authenticator_data(ceremony, ceremony.counter.value_or(counter_), {});
  auto signature = sign(data + hash_of(json));
  return {id_, std::move(data), json, std::move(signature)};
}

passkey::Credential SoftwareAuthenticator::credential() const {
  return {id_, cose_key(), counter_, true, true, {}};
}

Bytes SoftwareAuthenticator::attested_credential(const Ceremony& ceremony) const {
  const Bytes model(16, 0);
  const auto& id = ceremony.id ? *ceremony.id : id_;
  return model + big_endian(static_cast<std::uint32_t>(id.size()), 2) + id +
         (ceremony.public_key ? *ceremony.public_key : cose_key());
}

Bytes SoftwareAuthenticator::cose_key() const {
  const auto raw = raw_public_key();
  Map key(kind_ == KeyKind::kP256 ? 5 : 4);
  switch (kind_) {
    case KeyKind::kP256:
      key.add(number(1), number(2)).add(number(3), number(-7)).add(number(-1), number(1));
      key.add(number(-2), bytes(part(raw, 0, 32))).add(number(-3), bytes(part(raw, 32, 32)));
      break;
    case KeyKind::kEd25519:
      key.add(number(1), number(1)).add(number(3), number(-8)).add(number(-1), number(6));
      key.add(number(-2), bytes(raw));
      break;
    case KeyKind::kRsa2048:
    case KeyKind::kRsa1024:
      key.add(number(1), number(3)).add(number(3), number(-257));
      key.add(number(-1), bytes(part(raw, 0, raw.size() - 3)))
          .add(number(-2), bytes(part(raw, raw.size() - 3, 3)));
      break;
  }
  return key.serialized();
}

Bytes SoftwareAuthenticator::raw_public_key() const {
  if (kind_ == KeyKind::kP256) return part(octets(key_.get()), 1, 64);
  if (kind_ == KeyKind::kEd25519) return octets(key_.get());
  return big_number(key_.get(), OSSL_PKEY_PARAM_RSA_N) + big_number(key_.get(), OSSL_PKEY_PARAM_RSA_E);
}

Bytes SoftwareAuthenticator::sign(const Bytes& message) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto* digest = kind_ == KeyKind::kEd25519 ? nullptr : EVP_sha256();
  must(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1, "sign");
  Bytes signature(512);
  std::size_t size = signature.size();
  must(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1, "sign");
  signature.resize(size);
  return signature;
}

Bytes cbor_map_of(const std::string& name, bool value) {
  return Map(1).add(text(name), boolean(value)).serialized();
}

}  // namespace zkv::test
