// The boot's own zkv, when a person has done its work, or undone it.
#pragma once

#include <optional>

#include "base/result.h"
#include "host/handover.h"
#include "repository/repository.h"

namespace zkv::cli {

/// zfs-keyvault.service where it asks still, has failed or was stopped, or its start is queued, while a
/// person does its work. Not for who is not root, nor for what that service itself runs.
class WaitingService {
 public:
  WaitingService();
  WaitingService(const WaitingService&) = delete;
  WaitingService& operator=(const WaitingService&) = delete;
  ~WaitingService() = default;

  /// Whether it asked a gateway, or was about to, when this was made.
  [[nodiscard]] bool was_asking() const { return was_asking_; }
  /// Whether its start was queued behind other units when this was made, so that it asks later.
  [[nodiscard]] bool was_queued() const { return was_queued_; }
  /// All is about to be opened. Keeps the key for it, in the kernel: not in this process, which holds none
  /// while it mounts, and not longer than this process lives.
  void keep(const repository::RepositoryKey& key);
  /// Where it has nobody to ask, zfs-keyvault.target is started, once all is open.
  /// Where it waits still it is begun anew, and ends with the key that was kept as this has: without asking
  /// anybody, and well where all is open, so that what waits for zfs-keyvault.target starts. Where its start
  /// is queued still that is left to its turn, and the key waits for it in root's keyring, for
  /// host::kHandoverLifetime. Tells of it.
  void end(bool is_all_open);
  /// The key is kept no more.
  void forget() { kept_.reset(); }

 private:
  bool was_waiting_ = false;
  bool was_queued_ = false;
  bool was_asking_ = false;
  bool had_nobody_to_ask_ = false;
  bool does_all_ = false;  ///< and not some volumes
  std::optional<Result<host::HeldHandover>> kept_;
};

/// Has zfs-keyvault.service ask now, whose request another of this host took the place of; by itself it would
/// do so after a while. Tells of it; does nothing where it does not ask.
void let_service_ask_again();

/// Has zfs-keyvault.service ask no more by itself, after a person's no to this host. Tells of it; does
/// nothing where it does not ask.
void let_service_rest();

/// Where zfs-keyvault.service has failed, and what it could not open may be open now: says how it ends well.
void tell_of_failed_service();

/// Whether zfs-keyvault.service is active: it has opened volumes since the machine started.
bool does_service_run();

/// Where zfs-keyvault.service or zfs-keyvault.target stands, or is about to, both are stopped, now that all
/// is locked: what requires the target would else start on empty directories, and an approval of what is
/// still asked would open all again. Tells of it; does nothing for who is not root. A key that lies ready for
/// the service is taken away, too.
void let_service_stop();

/// Where zfs-keyvault.target stands, and not all that should be is locked: says what may come of that.
void warn_of_partly_locked();

}  // namespace zkv::cli
