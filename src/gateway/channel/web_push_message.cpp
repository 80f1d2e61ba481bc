// RFC 8291 over RFC 8188, and the token of RFC 8292.
#include "gateway/channel/web_push_message.h"

#include <openssl/evp.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/kdf.h"

namespace zkv::gateway {

namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kContentKeySize = 16;
constexpr std::size_t kNonceSize = 12;
constexpr std::uint32_t kRecordSize = 4'096;
constexpr std::uint8_t kLastRecord = 2;  ///< the delimiter after a message's last record

struct CipherDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

void append(std::string& out, std::span<const std::uint8_t> bytes) { out.append(bytes.begin(), bytes.end()); }

/// What both sides derive the record's key and nonce from: RFC 8291, 3.4.
SecretBytes keying_material(const SecretBytes& shared, const PushSubscription& subscription,
                            const PushPoint& sender) {
  std::string info("WebPush: info");
  info.push_back('\0');
  append(info, subscription.key);
  append(info, sender);
  return crypto::hkdf_sha256(shared.span(), subscription.auth, info, 32);
}

/// RFC 8188, 2.2 and 2.3: the label ends with a zero byte.
SecretBytes derive(const SecretBytes& material, std::span<const std::uint8_t> salt, std::string_view label,
                   std::size_t size) {
  std::string info(label);
  info.push_back('\0');
  return crypto::hkdf_sha256(material.span(), salt, info, size);
}

Result<Bytes> seal_record(const SecretBytes& key, const SecretBytes& nonce, std::string_view text) {
  const std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter> context(EVP_CIPHER_CTX_new());
  Bytes sealed(text.size() + 1 + kTagSize);
  const auto plain = bytes_of(text);
  int first = 0;
  int second = 0;
  int rest = 0;
  if (!context ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, key.data(), nonce.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), sealed.data(), &first, plain.data(), static_cast<int>(plain.size())) !=
          1 ||
      EVP_EncryptUpdate(context.get(), sealed.data() + first, &second, &kLastRecord, 1) != 1 ||
      EVP_EncryptFinal_ex(context.get(), sealed.data() + first + second, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTagSize),
                          sealed.data() + text.size() + 1) != 1) {
    return Error::internal("OpenSSL does not encrypt");
  }
  return sealed;
}

/// Salt, record size, and the sender's point as key id: RFC 8188, 2.1.
Bytes header_of(std::span<const std::uint8_t> salt, const PushPoint& sender) {
  Bytes header(salt.begin(), salt.end());
  for (int shift = 24; shift >= 0; shift -= 8)
    header.push_back(static_cast<std::uint8_t>(kRecordSize >> shift));
  header.push_back(static_cast<std::uint8_t>(sender.size()));
  header.insert(header.end(), sender.begin(), sender.end());
  return header;
}

std::string part_of_token(const boost::json::object& object) {
  return to_base64(bytes_of(boost::json::serialize(object)), Base64::kUrlNoPadding);
}

}  // namespace

Result<Bytes> encrypt_push(const PushSubscription& subscription, std::string_view text, const PushKey& sender,
                           std::span<const std::uint8_t> salt) {
  if (text.size() > kLongestPushText) return Error::invalid("a push message is longer than 3993 bytes");
  if (salt.size() != kSaltSize) return Error::internal("a push message got no salt of 16 bytes");
  ZKV_TRY(const auto shared, sender.agree(subscription.key));
  const auto material = keying_material(shared, subscription, sender.point());
  const auto key = derive(material, salt, "Content-Encoding: aes128gcm", kContentKeySize);
  const auto nonce = derive(material, salt, "Content-Encoding: nonce", kNonceSize);
  ZKV_TRY(const auto sealed, seal_record(key, nonce, text));
  Bytes body = header_of(salt, sender.point());
  body.insert(body.end(), sealed.begin(), sealed.end());
  return body;
}

Result<std::string> vapid_authorization(const PushKey& key, const std::string& audience,
                                        const std::string& subject, Time expires) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
  boost::json::object claims{{"aud", audience}, {"exp", seconds}};
  if (!subject.empty()) claims["sub"] = subject;
  const std::string signed_part =
      part_of_token({{"typ", "JWT"}, {"alg", "ES256"}}) + "." + part_of_token(claims);
  ZKV_TRY(const auto signature, key.sign(signed_part));
  return "vapid t=" + signed_part + "." + to_base64(signature, Base64::kUrlNoPadding) +
         ", k=" + to_base64(key.point(), Base64::kUrlNoPadding);
}

}  // namespace zkv::gateway
