// What every call that a person makes goes through before it does anything: where it comes from, how often,
// in which form, and with which session.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/http/limits.h"
#include "gateway/http/network_names.h"
#include "gateway/http/public_address.h"
#include "gateway/http/router.h"
#include "gateway/service/service.h"
#include "protocol/json_members.h"

namespace zkv::gateway::http {

/// One call, past all that could be checked of it without asking the service.
struct PersonalCall {
  Incoming incoming;
  boost::json::object body;  ///< empty when there was none
  SessionKey session;        ///< by its cookie; of a call without one it fits no session

  [[nodiscard]] protocol::Members members() const { return protocol::Members(body); }
};

class PeopleDoor {
 public:
  using Handler = boost::asio::awaitable<Reply> (*)(PersonalCall, PeopleDoor&);
  /// Which calls count together where one address makes too many.
  enum class Kind : std::uint8_t { kPlain, kSignIn, kDecision };

  /// `party` may be why there is none: then every call says so. `service` outlives this. `names` may be null.
  PeopleDoor(Result<passkey::RelyingParty> party, std::string gateway_name, Service& service,
             std::unique_ptr<NetworkNames> names);
  /// `this` outlives the router.
  void add(Router& router, std::string method, std::string pattern, Handler handler,
           Kind kind = Kind::kPlain);

  [[nodiscard]] Service& service() { return service_; }
  [[nodiscard]] People& people() { return service_.people(); }
  /// Only for handlers: they are not called without it.
  [[nodiscard]] const passkey::RelyingParty& party() const { return *party_; }
  [[nodiscard]] const std::string& gateway_name() const { return gateway_name_; }
  /// What the network calls an address, where that is known and wanted.
  [[nodiscard]] std::optional<std::string> name_of(const std::string& address);

  /// The answer that begins a session: its token becomes a cookie.
  [[nodiscard]] Reply with_session(Reply reply, const NewSession& session) const;
  [[nodiscard]] Reply without_session(Reply reply) const;

 private:
  boost::asio::awaitable<Reply> enter(Incoming incoming, Handler handler, Kind kind);
  std::optional<Reply> check(const Incoming& incoming, Kind kind);
  RateLimiter& limiter_of(Kind kind);
  [[nodiscard]] SessionKey session_of(const Incoming& incoming) const;
  [[nodiscard]] std::string cookie_name() const;
  [[nodiscard]] std::string cookie_rules(std::chrono::seconds age) const;

  Result<passkey::RelyingParty> party_;
  std::string gateway_name_;
  Service& service_;
  std::unique_ptr<NetworkNames> names_;
  RateLimiter calls_;
  RateLimiter sign_ins_;
  RateLimiter decisions_;
};

/// An error as a problem with a name, whatever it is: docs/protocol-v2.md, "Problems".
Reply refusal(const Error& error);

}  // namespace zkv::gateway::http
