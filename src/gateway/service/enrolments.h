// How machines become hosts of this gateway, and cease to be: invites, enrolments, revocation.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/store/host_store.h"
#include "protocol/envelope.h"

namespace zkv::gateway {

struct NewInvite {
  std::string name;   ///< what the host will be called: 1 to 64 of letters, digits, '.', '_', '-'
  std::string group;  ///< the same, or empty
  std::chrono::seconds lasts{3'600};
};

struct MadeInvite {
  Invite invite;
  SecretBytes token;  ///< protocol::kInviteSize bytes; the gateway keeps only their hash
};

/// The name under which a host's share lies in the vault.
std::string share_name(const std::string& host_id);

/// Thread-safe; `by` and `address` name the actor in the audit log. Errors of every call, beside those said:
/// kIo, kInterrupted.
class Enrolments {
 public:
  virtual ~Enrolments() = default;

  /// Errors: kInvalid (a name, or a time beyond 30 days), kExists (a host of that name).
  virtual boost::asio::awaitable<Result<MadeInvite>> invite(NewInvite invite, std::string by) = 0;
  /// Takes in the host that `envelope` (protocol::Enrolment) speaks of: its share goes to the vault, then its
  /// invite is used up. The same host again is answered as the first time. Errors: kInvalid (its form),
  /// kDenied (signature; an invite that is unknown, used or over), kExists, those of Vault::deposit.
  virtual boost::asio::awaitable<Result<Host>> enrol(protocol::Envelope envelope, std::string address) = 0;

  virtual boost::asio::awaitable<Result<std::vector<Host>>> hosts() = 0;
  /// By name or id. Errors: kNotFound.
  virtual boost::asio::awaitable<Result<Host>> host(std::string name) = 0;
  /// Errors: kNotFound, kInvalid, kExists, kConflict (it is revoked).
  virtual boost::asio::awaitable<Result<Host>> rename(std::string name, std::string new_name,
                                                      std::string by) = 0;
  /// From now on nothing is released to it and its open requests are cancelled; then its share is destroyed
  /// in the vault, and a tombstone (protocol::Tombstone) signed in the audit log. So end those who came to
  /// succeed it and have not, and nobody else can come. Once more for a host that
  /// is revoked: tries again to destroy what could not be. Errors: kNotFound; those of Vault::destroy, when
  /// the host is revoked and its share still there.
  virtual boost::asio::awaitable<Result<Host>> revoke(std::string name, std::string by) = 0;
  /// Hears protocol::Succession: the host that signed it, which came by an invite of its predecessor, gets
  /// its name, and the predecessor ends as by revoke(). Once more: tries again to destroy what could not be.
  /// Errors: kInvalid (its form), kDenied (signature; it is not the successor), kConflict (its clock; named
  /// "clock"), kUnavailable (the vault does not give the new share, or does not destroy the old one).
  virtual boost::asio::awaitable<Result<Host>> succeed(protocol::Envelope envelope) = 0;
};

}  // namespace zkv::gateway
