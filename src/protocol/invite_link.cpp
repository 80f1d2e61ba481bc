// Links as text: ADDRESS/enroll#zkv2.TOKEN.GATEWAY[.SPKI].
#include "protocol/invite_link.h"

#include <algorithm>
#include <vector>

#include "base/encoding.h"
#include "protocol/messages.h"

namespace zkv::protocol {

namespace {

constexpr std::string_view kBeforeParts = "/enroll#zkv2.";

std::string text_of(std::span<const std::uint8_t> bytes) { return to_base64(bytes, Base64::kUrlNoPadding); }

Error not_a_link(const std::string& why) {
  return Error::invalid("this is no link of an invite: " + why)
      .remedy(
          "copy it whole, from https:// to its end, in quotation marks, as 'zkvgateway host invite' printed "
          "it");
}

std::vector<std::string_view> split_at_dots(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto dot = std::min(text.find('.'), text.size());
    parts.push_back(text.substr(0, dot));
    if (dot == text.size()) return parts;
    text.remove_prefix(dot + 1);
  }
}

Result<crypto::Sha256> hash_from(std::string_view text, const std::string& what) {
  const auto bytes = from_base64(text, Base64::kUrlNoPadding);
  crypto::Sha256 hash{};
  if (!bytes || bytes->size() != hash.size()) return not_a_link(what + " is not of 32 bytes");
  std::ranges::copy(*bytes, hash.begin());
  return hash;
}

}  // namespace

std::string to_text(const InviteLink& link) {
  std::string text = link.gateway_address + std::string(kBeforeParts) + text_of(link.token.span()) + "." +
                     text_of(link.gateway);
  if (link.certificate) text += "." + text_of(*link.certificate);
  return text;
}

Result<InviteLink> parse_invite_link(std::string_view text) {
  const auto mark = text.find(kBeforeParts);
  if (mark == std::string_view::npos) return not_a_link("it does not hold '/enroll#zkv2.'");
  InviteLink link;
  link.gateway_address = std::string(text.substr(0, mark));
  if (!link.gateway_address.starts_with("https://") && !link.gateway_address.starts_with("http://")) {
    return not_a_link("it does not begin with https://");
  }
  const auto parts = split_at_dots(text.substr(mark + kBeforeParts.size()));
  if (parts.size() < 2 || parts.size() > 3)
    return not_a_link("a part of it is missing, or there is one too many");
  auto token = from_base64_secret(parts[0], Base64::kUrlNoPadding);
  if (!token || token->size() != kInviteSize) return not_a_link("its token is not of 20 bytes");
  link.token = std::move(*token);
  ZKV_TRY(link.gateway, hash_from(parts[1], "the gateway's id"));
  if (parts.size() == 3) {
    ZKV_TRY(link.certificate, hash_from(parts[2], "the pin of the certificate"));
  }
  return link;
}

}  // namespace zkv::protocol
