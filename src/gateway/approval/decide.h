// What may happen to a request: a pure function from state and event to state and effects. No clock, no I/O.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "gateway/approval/request.h"

namespace zkv::gateway {

struct Policy {
  unsigned pin_tries = 3;  ///< wrong PINs after which a pending request is denied
  /// An approval stands at least this long, so that a slow vault does not waste a late one.
  std::chrono::seconds approval_stands{60};
};

namespace event {
struct Approve {
  std::string by;
};
struct Deny {
  std::string by;
  std::string reason;
};
struct WrongPin {};       ///< a PIN was given that fits no pending request
struct ClientGone {};     ///< the connection ended without an answer
struct Reattached {       ///< the client came back with its token
  std::string from = {};  ///< its address now; empty: it is not known to have another
};
struct ShareRecovered {};  ///< the vault gave the share: it may be released now
struct ShareFailed {
  std::string reason;
};
struct Acknowledged {};  ///< the answer was written to the client in full
struct TimePassed {};    ///< look whether `now` is past expires_at
struct Cancel {
  std::string by;
  std::string reason;
};
struct Supersede {
  RequestId by;
};
}  // namespace event

using Event = std::variant<event::Approve, event::Deny, event::WrongPin, event::ClientGone, event::Reattached,
                           event::ShareRecovered, event::ShareFailed, event::Acknowledged, event::TimePassed,
                           event::Cancel, event::Supersede>;
std::string_view name_of(const Event& event);

namespace effect {
struct Notify {};        ///< tell the approvers
struct RecoverShare {};  ///< fetch the share from the vault
struct Release {};       ///< hand the share to the waiting client, once
struct Answer {};        ///< wake the waiting client with the state it is now in
}  // namespace effect

using Effect = std::variant<effect::Notify, effect::RecoverShare, effect::Release, effect::Answer>;

struct Decision {
  Request next;
  std::vector<Effect> effects;
  bool changed = false;  ///< whether anything is to be stored (an ignored event changes nothing)
};

/// The first decision about a new request: stored as pending, its approvers told.
Decision begin(Request request);

/// Errors: kConflict when a person's event cannot happen in this state any more (approving what has ended);
/// the message is for the person who tried. What the machinery says too late (a share for a denied request)
/// changes nothing. Any event at or after expires_at (other than in a final state) makes the request expired,
/// and nothing else.
Result<Decision> decide(const Request& request, const Policy& policy, const Event& event, Time now);

}  // namespace zkv::gateway
