// The repository from outside, its enrolments, and the volumes that are known without its key.
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "doctor/gather_parts.h"
#include "doctor/tables.h"
#include "host/drift_record.h"
#include "host/mount_trouble.h"
#include "host/unlock_record.h"
#include "repository/generation.h"
#include "repository/store.h"
#include "unlock/mount_table.h"
#include "unlock/system_volumes.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

/// Whether it is there, and this user may not look at it: then that is told.
bool is_closed_to_us(const fs::path& path, Facts& facts) {
  if (::access(path.c_str(), R_OK) == 0 || errno != EACCES) return false;
  facts.unseen.push_back(path.string() + ": only root can read it");
  return true;
}

/// As that machine names it.
std::string name_there(const System& system, const fs::path& root_path) {
  if (system.is_running()) return root_path.string();
  return "/" + root_path.lexically_relative(system.place_of("/")).string();
}

VolumeFacts& volume_named(const std::string& name, Facts& facts) {
  const auto found = std::ranges::find(facts.volumes, name, &VolumeFacts::name);
  return found == facts.volumes.end() ? facts.volumes.emplace_back(VolumeFacts{.name = name}) : *found;
}

/// `volumes`: by name, with kind and settings.
template <class Volumes>
void take_remembered(const Volumes& volumes, Facts& facts) {
  for (const auto& [name, known] : volumes) {
    auto& volume = volume_named(name, facts);
    volume.kind = known.kind;
    volume.device = known.settings.device;
    volume.place = known.settings.mountpoint;
    volume.options = known.settings.options;
  }
}

/// An empty record where there is none to be read.
template <class Record>
Record record_at(const GatherOrder& order, const fs::path& named, Result<Record> (*read)(const fs::path&),
                 Facts& facts) {
  const auto path = order.system.place_of(named);
  if (is_closed_to_us(path, facts)) return {};
  auto record = read(path);
  if (record) return std::move(*record);
  facts.unseen.push_back(record.error().message());
  return {};
}

/// What the machine knows of the volumes that the repository is known to hold.
void take_states(const host::Unlockers& unlockers, Facts& facts) {
  for (const auto& unlocker : unlockers) {
    const auto states = unlocker->discover();
    if (!states) continue;
    for (const auto& state : *states) {
      const auto volume = std::ranges::find(facts.volumes, state.name, &VolumeFacts::name);
      if (volume == facts.volumes.end()) continue;
      volume->kind = unlocker->name();
      if (volume->device.empty()) volume->device = state.device;
      if (volume->place.empty()) volume->place = state.mountpoint;
      volume->key_file = state.key_file;
    }
  }
}

/// Of the machine that runs.
void take_system(Facts& facts) {
  const auto system = unlock::SystemVolumes::look({});
  if (!system) return facts.unseen.push_back("what the system lies on: " + system.error().message());
  for (auto& volume : facts.volumes) {
    volume.holds_system = system->hold(volume.kind, {volume.name, {.device = volume.device}});
  }
}

void take_places(Facts& facts) {
  for (auto& volume : facts.volumes) {
    for (const auto& entry : facts.fstab) {
      const bool is_it = entry.source == "/dev/mapper/" + volume.name && volume.kind != "zfs";
      if (is_it && volume.place.empty()) volume.place = entry.mountpoint;
    }
    for (const auto& cached : facts.zfs_cache) {
      if (cached.name != volume.name) continue;
      volume.kind = "zfs";
      if (volume.place.empty()) volume.place = cached.mountpoint;
    }
    if (volume.place.starts_with('/')) volume.place = unlock::clean_path(volume.place);
    volume.holds_system = volume.holds_system || volume.place == "/" || volume.place == "/usr";
  }
}

/// Nothing where that cannot be told; none as well where no further file fits. Only root has the reserve,
/// which those filesystems do not have that count no files. Source: statvfs(3); Linux fs/btrfs/super.c.
std::optional<std::uint64_t> room_in(const fs::path& folder) {
  struct statvfs about {};
  if (::statvfs(folder.c_str(), &about) != 0) return std::nullopt;
  if (about.f_blocks == 0 || (about.f_flag & ST_RDONLY) != 0) return std::nullopt;
  const bool counts_files = about.f_files > 0;
  if (counts_files && about.f_ffree == 0) return 0;
  const bool has_reserve = counts_files && ::geteuid() == 0;
  return std::uint64_t{has_reserve ? about.f_bfree : about.f_bavail} * about.f_frsize;
}

/// Whose modes are wrong is said with those of other files.
void gather_lost_keys(const host::EnrolmentFolder& folder, Facts& facts) {
  for (const auto& enrolment : facts.enrolments) {
    const auto keys = folder.check_keys(enrolment);
    if (keys || keys.error().kind() == ErrorKind::kDenied) continue;
    facts.lost_keys.push_back({enrolment.address, keys.error().message(), keys.error().remedy()});
  }
}

}  // namespace

fs::path repository_file(const GatherOrder& order) { return order.system.place_of(order.repository); }

void gather_repository(const GatherOrder& order, Facts& facts) {
  const auto file = repository_file(order);
  facts.repository = name_there(order.system, file);
  facts.room = room_in(file.parent_path());
  facts.are_enrolments_seen = false;
  if (is_closed_to_us(file, facts)) return;
  if (auto description = repository::describe(file)) {
    facts.description = std::move(*description);
    facts.damage = repository::damage_warning(file);
    facts.rollback = repository::rollback_warning(file);
  } else {
    facts.repository_trouble = description.error();
  }
  if (auto before = repository::describe(repository::real_path(file).string() + ".previous"))
    facts.previous = std::move(*before);
  if (is_closed_to_us(file.string() + ".enrolments", facts)) return;
  facts.are_enrolments_seen = true;
  const host::EnrolmentFolder folder(file);
  if (auto enrolments = folder.all()) {
    facts.enrolments = std::move(*enrolments);
    gather_lost_keys(folder, facts);
  } else {
    facts.enrolment_trouble = enrolments.error();
  }
}

void gather_volumes(const GatherOrder& order, const host::Unlockers& unlockers, Facts& facts) {
  const auto last = record_at(order, order.unlock_record, host::read_record, facts);
  const auto taken_in = record_at(order, order.drift_record, host::read_drift_record, facts);
  take_remembered(last, facts);
  take_remembered(taken_in.volumes, facts);
  if (const auto names = host::EnrolmentFolder(repository_file(order)).volumes()) {
    for (const auto& name : *names) static_cast<void>(volume_named(name, facts));
  }
  if (order.system.is_running()) {
    take_states(unlockers, facts);
    take_system(facts);
    facts.left_over = host::find_left_over(last, taken_in, unlockers);
    facts.unmountable = host::find_unmountable(taken_in, unlockers);
  }
  take_places(facts);
  if (facts.volumes.empty()) {
    facts.unseen.emplace_back("volumes: which ones the repository holds is known once it was opened here");
  }
}

}  // namespace zkv::doctor
