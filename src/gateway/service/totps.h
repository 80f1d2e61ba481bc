// Codes of an authenticator app, for who has no passkey at hand, where the setting totp-groups allows it
// (docs/protocol-v2.md, "Codes of an authenticator app").
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/service/people.h"

namespace zkv::gateway {

struct TotpState {
  bool is_set = false;     ///< there is a secret
  bool has_begun = false;  ///< and its first code was given: it is good for deciding
  Time made_at;            ///< the epoch: there is none
  Time locked_until;       ///< the epoch, or a time gone by: not locked
};

/// What an app is given, once.
struct NewTotp {
  SecretBytes secret;
  std::string name;  ///< the approver's
};

struct DecisionByCode {
  RequestId request;
  passkey::Decision decision = passkey::Decision::kDeny;
  std::string reason;  ///< of a denial
  std::string code;
};

/// Thread-safe. Errors of every call, beside those said: as People; kNotFound named "totp-off" where the
/// setting names no group. A code that is wrong, was used, or is given while codes are locked is kDenied
/// named "code", in the same words. Five wrong ones in a row lock the person's codes for 15 minutes.
class Totps {
 public:
  virtual ~Totps() = default;

  /// Whether there are codes here at all.
  [[nodiscard]] virtual bool is_on() const = 0;
  /// The groups whose hosts may be decided by codes.
  [[nodiscard]] virtual const std::vector<std::string>& groups() const = 0;

  /// One's own.
  virtual boost::asio::awaitable<Result<TotpState>> state(SessionKey key) = 0;
  /// A secret, which is good for nothing until begin(); the act is {"totp.set", {}}. One that has not begun
  /// is replaced. Errors: kExists.
  virtual boost::asio::awaitable<Result<NewTotp>> set_up(Confirmation by) = 0;
  /// The first code shows that the app has the secret. Errors: kNotFound, kExists (it has begun already).
  virtual boost::asio::awaitable<Result<TotpState>> begin(SessionKey key, std::string code,
                                                          std::string address) = 0;
  /// Ends the sessions that were begun by codes, too; the act is {"totp.remove", {}}. Errors: kNotFound.
  virtual boost::asio::awaitable<Result<TotpState>> remove(Confirmation by) = 0;

  /// A session of 10 minutes that sees requests of hosts in those groups, decides them by further codes, and
  /// does nothing else. Errors: kDenied "code", in the same words and after the same work for a name that
  /// nobody has.
  virtual boost::asio::awaitable<Result<NewSession>> sign_in(std::string name, std::string code,
                                                             std::string address) = 0;
  /// Errors: kDenied "totp-group", kDenied "passkey-session" (who signed in by passkey decides by passkey),
  /// kNotFound, kConflict "ended".
  virtual boost::asio::awaitable<Result<RequestCard>> decide(SessionKey key, DecisionByCode decision,
                                                             std::string address) = 0;
};

}  // namespace zkv::gateway
