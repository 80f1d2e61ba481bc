// Enrolled hosts in SQL: the hosts, the invites by which they come, their signed requests and the releases.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/result.h"
#include "base/time.h"
#include "gateway/approval/request.h"
#include "gateway/store/request_list.h"
#include "protocol/host_identity.h"

namespace zkv::gateway {

/// Times that have not come yet are the epoch.
struct Host {
  std::string id;  ///< hex of SHA-256 of its identity
  std::string name;
  std::string group;
  protocol::HostIdentity identity;
  std::string repository;  ///< the id of its repository, in hex
  Time enrolled_at;
  Time asked_at;  ///< what its newest request says of the time, by the host's own clock
  Time seen_at;
  std::string address;  ///< of its newest request, as are boot and kernel
  std::string boot;
  std::string kernel;
  Time released_at;
  Time revoked_at;
  Time destroyed_at;  ///< when its share was destroyed in the vault

  [[nodiscard]] bool is_revoked() const { return revoked_at != Time(); }
};

struct Invite {
  enum class Kind : std::uint8_t { kHost, kApprover };
  Bytes hash;  ///< SHA-256 of the token, which is not kept
  Kind kind = Kind::kHost;
  std::string name;
  std::string group;  ///< an approver's role
  Time created_at;
  Time expires_at;
  std::string used_by;  ///< the id of the host or approver, or that it was withdrawn; empty: unused
};

/// That an invite came from a request of a host: who enrols by it may take that host's place.
struct Succession {
  Bytes invite;             ///< its hash
  std::string predecessor;  ///< the host's id
};

/// What a host signed when it asked, and how that compares with what was known of it.
struct HostAsk {
  std::string envelope;                ///< in JSON
  bool is_first_from_address = false;  ///< nothing was ever released to the host at this address
  bool is_new_kernel = false;          ///< another one than in its last request
  Time last_release;                   ///< before this request
  /// It took the place of a request that was open still and came from another boot: two machines may ask.
  bool replaces_other_boot = false;
};

/// An approval of a host's next boot, given beforehand: for one request.
struct BootApproval {
  std::string host;  ///< its id
  std::string by;    ///< "approver:Anna", "console:uid 0"
  Time approved_at;
  Time until;
  std::string boot;     ///< the boot in which it was given: that one cannot use it
  Bytes evidence;       ///< SHA-256 of what a passkey signed; empty at the console
  std::string used_by;  ///< the request that it approved; empty: unused
};

/// What a host's drift guard said last.
struct LastHeartbeat {
  std::string host;  ///< its id
  Time at;
  Time said_at;         ///< by the host's own clock: the next must be later
  std::string address;  ///< where it came from
  std::string version;  ///< of its zkv
  std::uint64_t generation = 0;
  std::uint64_t count = 0;                 ///< of findings
  std::vector<std::string> findings = {};  ///< the first of them, a line each, fit to be shown
};

/// As Store: for one thread at a time, inside the store's transactions. Errors not said: those of the
/// database.
class HostStore {
 public:
  virtual ~HostStore() = default;

  virtual Result<> insert(const Invite& invite) = 0;
  virtual Result<std::optional<Invite>> find_invite(const Bytes& hash) = 0;
  /// Those that were not used and last beyond `at`, oldest first.
  virtual Result<std::vector<Invite>> open_invites(Time at) = 0;
  /// Errors: kConflict when it was used before.
  virtual Result<> use_invite(const Bytes& hash, const std::string& by) = 0;

  /// Of an invite that is in the store.
  virtual Result<> insert(const Succession& succession) = 0;
  /// The invites, used or not, by which somebody may take the place of the host with that id.
  virtual Result<std::vector<Invite>> successions_of(const std::string& predecessor) = 0;

  /// Errors: kExists when another host, not revoked, has that name.
  virtual Result<> insert(const Host& host) = 0;
  /// Writes all but id, identity, repository and enrolled_at. Errors: kExists as insert(), kNotFound.
  virtual Result<> update(const Host& host) = 0;
  virtual Result<std::optional<Host>> find_host(const std::string& id) = 0;
  /// By id, or by the name of one that is not revoked. Errors: kNotFound.
  virtual Result<Host> host_called(const std::string& name_or_id) = 0;
  /// By name; the revoked ones last.
  virtual Result<std::vector<Host>> all_hosts() = 0;
  /// Those of one host that have not ended, oldest first.
  virtual Result<RequestList> open_requests_of(const std::string& host) = 0;

  /// Whether something was released to the host at that address before; and remembers that it was.
  virtual Result<bool> knows_address(const std::string& host, const std::string& address) = 0;
  virtual Result<> remember_address(const std::string& host, const std::string& address) = 0;
  /// What is remembered of the one is from now on remembered of the other, too.
  virtual Result<> share_addresses(const std::string& from, const std::string& to) = 0;

  /// What stands behind a request that is in the store.
  virtual Result<> insert_ask(const RequestId& request, const HostAsk& ask) = 0;
  /// Errors: kNotFound.
  virtual Result<HostAsk> ask_of(const RequestId& request) = 0;
  /// The signed release, in which the share is sealed to the host.
  virtual Result<> insert_release(const RequestId& request, const std::string& envelope) = 0;
  virtual Result<std::optional<std::string>> release_of(const RequestId& request) = 0;
  /// What was released to a host and not acknowledged can be had no more.
  virtual Result<> end_releases_of(const std::string& host) = 0;

  /// In place of the host's older one.
  virtual Result<> put(const BootApproval& approval) = 0;
  virtual Result<std::optional<BootApproval>> boot_approval_of(const std::string& host) = 0;
  /// Used or not, good still or not.
  virtual Result<std::vector<BootApproval>> boot_approvals() = 0;
  virtual Result<> end_boot_approval(const std::string& host) = 0;

  /// In place of the host's older one.
  virtual Result<> put(const LastHeartbeat& heartbeat) = 0;
  virtual Result<std::optional<LastHeartbeat>> heartbeat_of(const std::string& host) = 0;
  virtual Result<std::vector<LastHeartbeat>> heartbeats() = 0;
};

}  // namespace zkv::gateway
