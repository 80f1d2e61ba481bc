// DSSE over Ed25519, in JSON.
#include "protocol/envelope.h"

#include <algorithm>
#include <boost/json.hpp>

namespace zkv::protocol {

namespace json = boost::json;

namespace {

void append(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

Error misshapen(const std::string& what) {
  return Error::invalid("the signed message is misshapen: " + what);
}

Result<std::string_view> text_member(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  if (member == nullptr || !member->is_string())
    return misshapen("it has no text '" + std::string(name) + "'");
  return std::string_view(member->get_string());
}

Result<Bytes> base64_member(const json::object& object, std::string_view name) {
  ZKV_TRY(const auto text, text_member(object, name));
  auto bytes = from_base64(text, Base64::kUrlNoPadding);
  if (!bytes) return misshapen("'" + std::string(name) + "' is not base64");
  return bytes;
}

template <std::size_t size>
Result<std::array<std::uint8_t, size>> exactly(const Bytes& bytes, std::string_view name) {
  if (bytes.size() != size)
    return misshapen("'" + std::string(name) + "' has not " + std::to_string(size) + " bytes");
  std::array<std::uint8_t, size> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

Result<json::object> parse_object(std::string_view text) {
  if (text.size() > kLargestEnvelope) return misshapen("it is longer than 64 KiB");
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return misshapen("it is not a JSON object");
  return std::move(value.get_object());
}

Result<> read_signature(const json::object& object, Envelope& envelope) {
  const json::value* signatures = object.if_contains("signatures");
  const bool is_one = signatures != nullptr && signatures->is_array() &&
                      signatures->get_array().size() == 1 && signatures->get_array().front().is_object();
  if (!is_one) return misshapen("it has not exactly one signature");
  const json::object& only = signatures->get_array().front().get_object();
  ZKV_TRY(const auto id_text, text_member(only, "keyid"));
  const auto id = from_hex(id_text);
  if (!id) return misshapen("'keyid' is not hexadecimal");
  ZKV_TRY(envelope.signer, exactly<sizeof(KeyId)>(*id, "keyid"));
  ZKV_TRY(const auto signature, base64_member(only, "sig"));
  ZKV_TRY(envelope.signature, exactly<sizeof(crypto::Signature)>(signature, "sig"));
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
  if (envelope.type != type) {
    return Error::denied("a message of the type '" + std::string(type) + "' was expected, and another came");
  }
  if (envelope.signer != key_id(key))
    return Error::denied("the message is signed by a key that is not the expected one");
  if (!crypto::verifies(key, pre_authentication_encoding(type, envelope.body), envelope.signature)) {
    return Error::denied("the message's signature does not fit: it was changed on the way, or forged");
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
  ZKV_TRY(const auto object, parse_object(text));
  Envelope envelope;
  ZKV_TRY(const auto type, text_member(object, "payloadType"));
  envelope.type = std::string(type);
  ZKV_TRY(envelope.body, base64_member(object, "payload"));
  ZKV_CHECK(read_signature(object, envelope));
  return envelope;
}

}  // namespace zkv::protocol
