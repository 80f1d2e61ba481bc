// What people are told and say, as JSON: docs/protocol-v2.md, "People: sign in, see, decide".
#pragma once

#include <boost/json/object.hpp>

#include "gateway/http/message.h"
#include "gateway/service/heartbeats.h"
#include "gateway/service/people.h"
#include "gateway/service/totps.h"
#include "protocol/json_members.h"

namespace zkv::gateway::http {

/// RFC 3339, or null for a time that has not come.
boost::json::value time_or_null(Time time);

/// `address_name`: what the network calls the address that it came from, if that is known.
boost::json::object card_json(const RequestCard& card, const std::optional<std::string>& address_name);
boost::json::object host_json(const Host& host);
boost::json::object boot_approval_json(const BootApproval& approval);
/// The member "next_boot" of the host `id`: its approval among those that are live, or null.
void add_next_boot(boost::json::object& host, const std::string& id, const std::vector<BootApproval>& live);
/// The member "heartbeat": what the host's drift guard said last, among `all`, or null.
void add_heartbeat(boost::json::object& host, const std::string& id, const std::vector<LastHeartbeat>& all);
boost::json::object passkey_json(const Passkey& passkey);
boost::json::object approver_json(const ApproverCard& card);
boost::json::object invite_json(const Invite& invite);
boost::json::object recovery_json(const RecoveryState& state);
boost::json::object totp_json(const TotpState& state, const std::vector<std::string>& groups);
/// What an authenticator app takes; written without a copy in a string.
Reply new_totp_reply(const NewTotp& totp, const std::string& gateway_name);
/// Written without a copy in a string.
Reply recovery_codes_reply(const std::vector<SecretBytes>& codes);
boost::json::object session_json(const SignedIn& signed_in, const std::string& gateway_name);
boost::json::object registration_json(const RegistrationAsk& ask, const passkey::RelyingParty& party,
                                      const std::string& gateway_name);
boost::json::object challenge_json(const passkey::Challenge& challenge, const passkey::RelyingParty& party);
boost::json::object signing_json(const SigningAsk& ask, const passkey::RelyingParty& party);

/// A list of them under a name.
template <class T>
boost::json::object list_json(std::string_view name, const std::vector<T>& items,
                              boost::json::object (*one)(const T&)) {
  boost::json::array array;
  for (const auto& item : items) array.push_back(one(item));
  return {{boost::json::string_view(name.data(), name.size()), std::move(array)}};
}
Reply json(unsigned status, const boost::json::object& object);

/// `body` is a whole body. Errors: kInvalid.
Result<SecretBytes> read_invite_token(const boost::json::object& body);
/// The member "code": six digits, as apps show them, with blanks wherever somebody puts them. What is
/// something else is no code that anybody has. Errors: kInvalid.
Result<std::string> read_totp_code(const boost::json::object& body);
/// A recovery code as it was typed. Errors: kInvalid.
Result<SecretBytes> read_recovery_code(const boost::json::object& body);
Result<MadePasskey> read_made_passkey(const boost::json::object& body, const passkey::RelyingParty& party);
Result<SignedChallenge> read_signed_challenge(const boost::json::object& body,
                                              const passkey::RelyingParty& party);
/// The member "confirmation": a passkey's answer to the challenge of an act.
Result<SignedChallenge> read_confirmation(const boost::json::object& body,
                                          const passkey::RelyingParty& party);
Result<passkey::Act> read_act(const boost::json::object& body);
Result<NewApprover> read_new_approver(const boost::json::object& body);
/// What stands in a path for bytes. Errors: kNotFound, as for what nobody knows.
Result<Bytes> read_path_id(const std::string& text);

}  // namespace zkv::gateway::http
