// Those who decide, in SQL: approvers, their passkeys and sessions, and what they decided by passkey.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "gateway/approval/request.h"

namespace zkv::gateway {

using ApproverId = std::array<std::uint8_t, 16>;

/// Owners also invite and revoke.
enum class Role : std::uint8_t { kOwner, kApprover };
/// "owner" or "approver".
std::string_view to_text(Role role);
std::optional<Role> role_from_text(std::string_view text);

/// Times that have not come yet are the epoch.
struct Approver {
  ApproverId id{};
  std::string name;
  Role role = Role::kApprover;
  Time created_at;
  Time revoked_at;

  [[nodiscard]] bool is_revoked() const { return revoked_at != Time(); }
};

/// A passkey as it is kept for ever: who approved with it must still be told when it has ended.
struct Passkey {
  Bytes id;  ///< the credential's
  ApproverId approver{};
  std::string label;
  Bytes public_key;  ///< COSE_Key
  std::uint32_t counter = 0;
  bool backup_eligible = false;
  bool backed_up = false;
  Time created_at;
  Time used_at;
  Time ended_at;
  std::string ended_why;

  [[nodiscard]] bool has_ended() const { return ended_at != Time(); }
};

/// By what a session was begun. By a code it only sees and decides what may be decided by codes.
enum class SessionKind : std::uint8_t { kPasskey, kTotp };

struct Session {
  crypto::Sha256 hash{};  ///< of the token, which is not kept
  ApproverId approver{};
  Time expires_at;
  SessionKind kind = SessionKind::kPasskey;
};

/// A code on paper that was not used yet: by it its owner registers one passkey.
struct RecoveryCode {
  crypto::Sha256 hash{};  ///< of the code's proof; neither is kept
  ApproverId approver{};
  Time made_at;
};

/// One decision by passkey.
struct Approval {
  RequestId request;
  ApproverId approver{};
  Bytes passkey;
  std::string decision;  ///< "approve" or "deny"
  Time at;
  crypto::Sha256 evidence_hash{};
  std::string evidence;  ///< docs/protocol-v2.md, "An approval by passkey"
};

/// As Store: for one thread at a time, inside the store's transactions. Errors not said: those of the
/// database, and kCorrupt for a row that cannot be read.
class PeopleStore {
 public:
  virtual ~PeopleStore() = default;

  /// Errors: kExists when another approver, not revoked, has that name.
  virtual Result<> insert(const Approver& approver) = 0;
  /// Errors: kNotFound when there is none, or it is revoked already.
  virtual Result<> revoke(const ApproverId& id, Time at) = 0;
  virtual Result<std::optional<Approver>> find_approver(const ApproverId& id) = 0;
  /// The one of that name who is not revoked.
  virtual Result<std::optional<Approver>> approver_called(const std::string& name) = 0;
  /// Those who are not revoked, by name.
  virtual Result<std::vector<Approver>> all_approvers() = 0;

  /// Errors: kExists when there is a passkey of that id, even one that has ended.
  virtual Result<> insert(const Passkey& passkey) = 0;
  /// Writes label, counter, backed_up, used_at, ended_at and ended_why. Errors: kNotFound.
  virtual Result<> update(const Passkey& passkey) = 0;
  virtual Result<std::optional<Passkey>> find_passkey(const Bytes& id) = 0;
  /// Those that have not ended, oldest first.
  virtual Result<std::vector<Passkey>> passkeys_of(const ApproverId& approver) = 0;

  virtual Result<> insert(const Session& session) = 0;
  virtual Result<std::optional<Session>> find_session(const crypto::Sha256& hash) = 0;
  virtual Result<> end_session(const crypto::Sha256& hash) = 0;
  virtual Result<> end_sessions_of(const ApproverId& approver) = 0;
  /// Those that were begun by a code.
  virtual Result<> end_totp_sessions_of(const ApproverId& approver) = 0;

  virtual Result<> insert(const RecoveryCode& code) = 0;
  virtual Result<std::optional<RecoveryCode>> find_recovery_code(const crypto::Sha256& hash) = 0;
  /// Those that were not used yet.
  virtual Result<std::vector<RecoveryCode>> recovery_codes_of(const ApproverId& approver) = 0;
  /// It serves no more. Errors: kConflict when there is none any more.
  virtual Result<> end_recovery_code(const crypto::Sha256& hash) = 0;
  virtual Result<> end_recovery_codes_of(const ApproverId& approver) = 0;

  virtual Result<> insert(const Approval& approval) = 0;
  /// The evidence hashes of those who approved, in order; of a denial there is nothing to release.
  virtual Result<std::vector<crypto::Sha256>> approvals_of(const RequestId& request) = 0;
};

}  // namespace zkv::gateway
