// What the authenticator signed, and the attestation object around it, from bytes.
#include <algorithm>

#include "gateway/passkey/cbor.h"
#include "gateway/passkey/parts.h"

namespace zkv::gateway::passkey {

namespace {

using View = std::span<const std::uint8_t>;

constexpr std::uint8_t kUserPresent = 0x01, kUserVerified = 0x04, kBackupEligible = 0x08, kBackedUp = 0x10,
                       kHasCredential = 0x40, kHasExtensions = 0x80;
constexpr std::size_t kLongestFormat = 32;  // WebAuthn Level 3, §8.1

Error misshapen(const std::string& how) { return Error::invalid("the authenticator data " + how); }

/// Takes from the front, and remembers when there was not enough.
class Cursor {
 public:
  explicit Cursor(View bytes) : left_(bytes) {}

  View take(std::size_t size) {
    is_cut_off_ = is_cut_off_ || size > left_.size();
    if (is_cut_off_) return {};
    const auto taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  template <std::size_t size>
  std::array<std::uint8_t, size> array() {
    std::array<std::uint8_t, size> out{};
    std::ranges::copy(take(size), out.begin());
    return out;
  }
  std::uint32_t number(std::size_t size) {  // big-endian
    std::uint32_t out = 0;
    for (const auto byte : take(size)) out = (out << 8U) | byte;
    return out;
  }
  /// The bytes of one CBOR map.
  Result<View> map() {
    ZKV_TRY(const auto read, read_cbor(left_));
    if (read.value.as<CborMap>() == nullptr) return Error::invalid("its CBOR is no map");
    return take(read.size);
  }

  [[nodiscard]] bool is_cut_off() const { return is_cut_off_; }
  [[nodiscard]] bool is_at_end() const { return left_.empty(); }

 private:
  View left_;
  bool is_cut_off_ = false;
};

Bytes copy_of(View bytes) { return {bytes.begin(), bytes.end()}; }

Result<AttestedCredential> read_credential(Cursor& cursor) {
  AttestedCredential credential;
  credential.model = cursor.array<16>();
  credential.id = copy_of(cursor.take(cursor.number(2)));
  if (cursor.is_cut_off()) return misshapen("is cut off");
  if (credential.id.empty() || credential.id.size() > kLongestCredentialId) {
    return misshapen("has a credential id that is not of 1 to 1023 bytes");
  }
  ZKV_TRY(const auto key, cursor.map());
  credential.public_key = copy_of(key);
  return credential;
}

Result<std::string> read_format(const CborValue* value) {
  const auto* text = value == nullptr ? nullptr : value->as<std::string_view>();
  const auto is_printable = [](char c) { return c > ' ' && c <= '~'; };
  if (text == nullptr || text->empty() || text->size() > kLongestFormat ||
      !std::ranges::all_of(*text, is_printable)) {
    return Error::invalid("'fmt' is no name of a format");
  }
  return std::string(*text);
}

Result<bool> read_has_statement(const CborValue* value) {
  if (value == nullptr || (value->as<CborMap>() == nullptr && value->as<CborArray>() == nullptr)) {
    return Error::invalid("'attStmt' is neither a map nor a list");
  }
  const auto* map = value->as<CborMap>();
  return map == nullptr || !map->entries.empty();
}

Result<AttestationObject> read_object(View bytes) {
  if (bytes.size() > kLargestAttestationObject) return Error::invalid("it is longer than 16 KiB");
  ZKV_TRY(const auto read, read_cbor(bytes));
  const auto* map = read.value.as<CborMap>();
  if (map == nullptr || map->entries.size() != 3 || read.size != bytes.size()) {
    return Error::invalid("it is not one map of three entries");
  }
  AttestationObject object;
  ZKV_TRY(object.format, read_format(map->find("fmt")));
  ZKV_TRY(object.has_statement, read_has_statement(map->find("attStmt")));
  const auto* value = map->find("authData");
  const auto* signed_part = value == nullptr ? nullptr : value->as<View>();
  if (signed_part == nullptr) return Error::invalid("'authData' is missing, or no bytes");
  ZKV_TRY(object.authenticator_data, parse_authenticator_data(*signed_part));
  return object;
}

}  // namespace

Result<AuthenticatorData> parse_authenticator_data(View bytes) {
  if (bytes.size() > kLargestAuthenticatorData) return misshapen("is longer than 4 KiB");
  Cursor cursor(bytes);
  AuthenticatorData data;
  data.rp_id_hash = cursor.array<32>();
  const auto flags = cursor.number(1);
  data.counter = cursor.number(4);
  data.user_present = (flags & kUserPresent) != 0;
  data.user_verified = (flags & kUserVerified) != 0;
  data.backup_eligible = (flags & kBackupEligible) != 0;
  data.backed_up = (flags & kBackedUp) != 0;
  if ((flags & kHasCredential) != 0) {
    ZKV_TRY(data.credential, read_credential(cursor));
  }
  if ((flags & kHasExtensions) != 0) ZKV_CHECK(cursor.map());
  if (cursor.is_cut_off()) return misshapen("is cut off");
  if (!cursor.is_at_end()) return misshapen("goes on past its end");
  return data;
}

Result<AttestationObject> parse_attestation_object(View bytes) {
  auto object = read_object(bytes);
  if (!object) return std::move(object).error().context("the attestation object");
  return object;
}

}  // namespace zkv::gateway::passkey
