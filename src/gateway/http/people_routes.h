// Everything that people do by the page, or by any other program with a passkey.
#pragma once

#include <string>

#include "gateway/http/people_door.h"

namespace zkv::gateway::http {

/// Registrations, sign-in, the session itself.
void add_session_calls(Router& router, PeopleDoor& door);
/// One's own passkeys; and for owners those who may decide.
void add_passkey_calls(Router& router, PeopleDoor& door);
void add_approver_calls(Router& router, PeopleDoor& door);
/// Recovery codes: one's own, and coming back by one.
void add_recovery_calls(Router& router, PeopleDoor& door);
/// Codes of an authenticator app: one's own, and signing in by one.
void add_totp_calls(Router& router, PeopleDoor& door);
/// Requests and hosts: seeing and deciding them.
void add_request_calls(Router& router, PeopleDoor& door);
void add_host_calls(Router& router, PeopleDoor& door);
/// Challenges by which acts are confirmed.
void add_confirmation_calls(Router& router, PeopleDoor& door);
/// One's own subscriptions to Web Push.
void add_push_calls(Router& router, PeopleDoor& door);
/// Server-sent events.
void add_event_calls(Router& router, PeopleDoor& door);

/// What begins a session.
Reply begun(unsigned status, const NewSession& session, const PeopleDoor& door);

/// The session, and the fresh answer of a passkey in the body. Errors: kInvalid.
Result<Confirmation> read_confirmed(const PersonalCall& call, const PeopleDoor& door);

/// The link by which somebody becomes an approver.
std::string registration_link(const passkey::RelyingParty& party, const SecretBytes& token);

}  // namespace zkv::gateway::http
