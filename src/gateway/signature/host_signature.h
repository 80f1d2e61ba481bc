// Whether a host signed what came in its name.
#pragma once

#include <string_view>

#include "protocol/messages.h"

namespace zkv::gateway {

/// Errors: kInvalid for an identity that no key stands behind: a point that is not on P-256.
Result<> check_identity(const protocol::HostIdentity& identity);

/// As protocol::check_signature(). An ES256 signature can be turned into a second one that fits (s into
/// n - s): harmless, since the hash by which a message is known does not cover its signature.
Result<> check_host_signature(const protocol::Envelope& envelope, std::string_view type,
                              const protocol::HostIdentity& identity);

/// The message of an envelope that the host signed. Errors: kDenied, kInvalid.
template <class Message>
Result<Message> open_from_host(const protocol::Envelope& envelope, const protocol::HostIdentity& identity) {
  ZKV_CHECK(check_host_signature(envelope, Message::kType, identity));
  return protocol::read_body<Message>(envelope.body);
}

}  // namespace zkv::gateway
