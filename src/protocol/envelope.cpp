// DSSE in JSON.
#include "protocol/envelope.h"

#include <boost/json/serialize.hpp>

#include "protocol/json_members.h"

namespace zkv::protocol {

namespace json = boost::json;

namespace {

constexpr std::size_t kLongestType = 100;

void append(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

Result<> read_signature(const json::object& object, Envelope& envelope) {
  const json::value* signatures = object.if_contains("signatures");
  const bool is_one = signatures != nullptr && signatures->is_array() &&
                      signatures->get_array().size() == 1 && signatures->get_array().front().is_object();
  if (!is_one) return Error::invalid("the message has not exactly one signature");
  const Members only(signatures->get_array().front().get_object());
  ZKV_TRY(envelope.signer, only.hex<sizeof(KeyId)>("keyid"));
  ZKV_TRY(envelope.signature, only.base64_of<sizeof(crypto::Signature)>("sig"));
  return {};
}

}  // namespace

KeyId key_id(const crypto::VerifyingKey& key) { return crypto::sha256(key); }

Bytes pre_authentication_encoding(std::string_view type, std::span<const std::uint8_t> body) {
  Bytes out;
  append(out, "DSSEv1 " + std::to_string(type.size()) + " ");
  append(out, type);
  append(out, " " + std::to_string(body.size()) + " ");
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

crypto::Sha256 hash_of(const Envelope& envelope) {
  return crypto::sha256(pre_authentication_encoding(envelope.type, envelope.body));
}

Envelope sign(std::string_view type, std::string_view body, const crypto::SigningKey& key) {
  Envelope envelope{std::string(type), Bytes(body.begin(), body.end()), key_id(key.verifying_key()), {}};
  envelope.signature = key.sign(pre_authentication_encoding(type, envelope.body));
  return envelope;
}

Result<> check_signature(const Envelope& envelope, std::string_view type, const crypto::VerifyingKey& key) {
  return check_signature(envelope, type, key_id(key), [&key](const auto message, const auto& signature) {
    return crypto::verifies(key, message, signature);
  });
}

Result<> check_signature(const Envelope& envelope, std::string_view type, const KeyId& signer,
                         const Verify& verify) {
  if (envelope.type != type) {
    return Error::denied("a message of the type '" + std::string(type) + "' was expected, and another came")
        .named("signature");
  }
  if (envelope.signer != signer)
    return Error::denied("the message is signed by a key that is not the expected one").named("signature");
  if (!verify(pre_authentication_encoding(type, envelope.body), envelope.signature)) {
    return Error::denied("the message's signature does not fit: it was changed on the way, or forged")
        .named("signature");
  }
  return {};
}

std::string to_json(const Envelope& envelope) {
  const json::object signature{{"keyid", to_hex(envelope.signer)},
                               {"sig", to_base64(envelope.signature, Base64::kUrlNoPadding)}};
  return json::serialize(json::object{{"payloadType", envelope.type},
                                      {"payload", to_base64(envelope.body, Base64::kUrlNoPadding)},
                                      {"signatures", json::array{signature}}});
}

Result<Envelope> parse_envelope(std::string_view text) {
  ZKV_TRY(const auto object, parse_object(text, kLargestEnvelope));
  const Members members(object);
  Envelope envelope;
  ZKV_TRY(envelope.type, members.text("payloadType", kLongestType));
  ZKV_TRY(envelope.body, members.base64("payload", kLargestEnvelope));
  ZKV_CHECK(read_signature(object, envelope));
  return envelope;
}

}  // namespace zkv::protocol
