// Asking first, then telling of each volume.
#include "rotate_volumes.h"

#include <algorithm>
#include <cstdio>

#include "base/plain_text.h"
#include "host/drift_record.h"
#include "host/stop_on_signal.h"
#include "host/volume_rotation.h"
#include "open_volumes.h"
#include "output.h"
#include "repository/repository.h"
#include "terminal.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

using KeyChange = host::VolumeChange::Happened;

constexpr const char* kReplicas =
    "filesystems of ZFS get another key. Where 'zfs send --raw' replicates them, later increments break the "
    "replica (openzfs#12614): replicate them from the beginning afterwards, to another name, and keep the "
    "old replica until that is done. It opens by the old key alone, which the repository will not hold any "
    "more: keep that first, with each replica on this machine taken in (zkv volume add), or on paper for "
    "those elsewhere (zkv volume show -p NAME).";

Result<bool> holds_zfs(const Session& session, const SecretBytes& key) {
  ZKV_TRY(const auto opened, repository::open(session.repository, key));
  bool holds = false;
  opened.keys.for_each(
      [&](std::string_view, repository::VolumeKind kind) { holds |= kind == repository::VolumeKind::kZfs; });
  return holds;
}

void tell_change(const host::VolumeChange& change, Output& out) {
  out << plain_text(change.volume) << (change.kind.empty() ? "" : " (" + change.kind + ")") << ": ";
  switch (change.happened) {
    case KeyChange::kChanged:
      out << "has a new key\n";
      return;
    case KeyChange::kLeftAlone:
      out << "left alone: " << plain_text(change.why) << "\n";
      break;
    case KeyChange::kPending:
      out << "not yet: " << plain_text(change.why) << "\n";
      break;
  }
  if (!change.remedy.empty()) out << "     " << plain_text(change.remedy) << "\n";
}

/// Else the drift guard would take the change for somebody else's.
void remember_proof(const Session& session, const host::VolumeChange& change,
                    const host::Unlockers& unlockers) {
  host::MountReport proved;
  proved.volumes.push_back(
      {change.kind, {change.volume, unlock::Happened::kKeyFits, {}, {}, {}}, change.settings});
  if (const auto kept = keep_proofs(session, proved, /*is_whole=*/false, unlockers); !kept)
    report(kept.error());
}

/// For `zkv check`, should this be cut off.
Result<> remember_begun(const Session& session, const SecretBytes& key) {
  ZKV_TRY(const auto pending, host::pending_volume_changes(session.repository, key));
  const auto kept = host::change_drift_record(host::default_drift_path(), [&](host::DriftRecord& record) {
    if (host::belongs_to(record, session.repository)) record.changing = {pending.begin(), pending.end()};
  });
  if (!kept) report(kept.error());
  return {};
}

}  // namespace

Result<bool> is_volume_change_pending(const Session& session, const SecretBytes& key) {
  ZKV_TRY(const auto pending, host::pending_volume_changes(session.repository, key));
  return !pending.empty();
}

Result<> confirm_volume_change(const Session& session, const SecretBytes& key, bool yes) {
  ZKV_TRY(const bool has_replicas, holds_zfs(session, key));
  if (!has_replicas) return {};
  static_cast<void>(std::fprintf(stderr, "zkv: %s\n", kReplicas));
  if (yes) return {};
  const auto answer = ask_for_line("Type yes to change them", Echo::kOn);
  if (!answer)
    return Error(answer.error().kind(), "nobody agreed to it; nothing was changed").remedy("give --yes");
  if (answer->view() == "yes") return {};
  return Error::denied("nothing was changed");
}

Result<ExitCode> change_volume_keys(const Session& session, const SecretBytes& key, bool begun) {
  const auto unlockers = unlock::all_unlockers({});
  Output out;
  if (!begun) {
    ZKV_TRY(const auto system, unlock::SystemVolumes::look({session.repository}));
    ZKV_TRY(const auto left, host::begin_volume_changes(session.repository, key, unlockers, system));
    for (const auto& change : left) tell_change(change, out);
  }
  ZKV_CHECK(remember_begun(session, key));
  const host::StopOnSignal signals;
  ZKV_TRY(const auto changes, host::resume_volume_changes(
                                  session.repository, key, unlockers, signals.token(),
                                  [&](const auto& change) { remember_proof(session, change, unlockers); }));
  for (const auto& change : changes) tell_change(change, out);
  const bool is_done = std::ranges::none_of(
      changes, [](const host::VolumeChange& change) { return change.happened == KeyChange::kPending; });
  if (!is_done)
    out << "Both keys are held of what is not done, and either opens it: zkv rotate --volume-keys goes on\n";
  ZKV_CHECK(out.write());
  return is_done ? ExitCode::kDone : ExitCode::kPartly;
}

}  // namespace zkv::cli
