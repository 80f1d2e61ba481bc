// Whether a webhook comes from Twilio: the check of its X-Twilio-Signature header.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zkv::gateway {

/// The fields of a form as sent, decoded; a name may occur more than once.
using FormFields = std::vector<std::pair<std::string, std::string>>;

/// Whether `signature` (base64) is the HMAC-SHA-1 under the account's auth `token` of `url` followed by each
/// field's name and value, sorted. `url` is the address that Twilio was given, with its query; it is tried as
/// it stands, without its port, and with the port that its scheme implies. Compared in constant time. Source:
/// Twilio, "Webhooks Security", and twilio-node's validateRequest.
bool twilio_signature_is_valid(std::span<const std::uint8_t> token, std::string_view url,
                               const FormFields& fields, std::string_view signature);

/// The same for every way in which the signature can be written: what a message that comes again is known by.
/// Its fields do not tell: the signature covers names and values with nothing between them, so that whoever
/// has seen one message can post the same text cut into other fields. Empty where it is no signature.
std::string message_of_signature(std::string_view signature);

/// Whether what was signed names more senders than one: then it may be a stranger's message whose words hold
/// the name and the number of another sender, cut so that those count.
bool may_be_cut_elsewhere(const FormFields& fields);

}  // namespace zkv::gateway
