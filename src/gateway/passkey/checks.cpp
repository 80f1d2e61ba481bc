// One line for each thing that must hold.
#include "gateway/passkey/checks.h"

#include "crypto/hash.h"

namespace zkv::gateway::passkey {

namespace {

Error refused(std::string_view why) { return Error::denied("the passkey's answer " + std::string(why)); }

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

Result<> check(const ClientData& data, std::string_view type, const Expectation& expected) {
  if (data.type != type) return refused("is not of the type " + std::string(type));
  if (data.challenge != to_base64(expected.challenge, Base64::kUrlNoPadding)) {
    return refused("is to another challenge").remedy("try again from the page");
  }
  if (data.origin != expected.party.origin) {
    return refused("was given to another site than " + expected.party.origin)
        .remedy("open " + expected.party.origin +
                ", or set the gateway's public address to what people open");
  }
  if (data.is_cross_origin) {
    return refused("was given inside another site's frame").remedy("open the page by itself");
  }
  return {};
}

Result<> check(const AuthenticatorData& data, const RelyingParty& party) {
  if (data.rp_id_hash != crypto::sha256(bytes_of(party.id))) return refused("is not for " + party.id);
  if (!data.user_present) return refused("was given without anybody there");
  if (!data.user_verified) {
    return refused("does not say that it checked who you are")
        .remedy("give the passkey a PIN, a fingerprint or a face");
  }
  if (data.backed_up && !data.backup_eligible) return refused("says it was copied, and that it cannot be");
  return {};
}

}  // namespace zkv::gateway::passkey
