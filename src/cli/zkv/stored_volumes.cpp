// Opening, printing, and keeping the list that approvers are shown.
#include "stored_volumes.h"

#include <cstdio>

#include "base/plain_text.h"
#include "device_use.h"
#include "host/drift_record.h"
#include "host/enrolment.h"
#include "host/unlock_record.h"
#include "repository/change.h"
#include "repository/store.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

void warn_unless(const Result<>& kept) {
  if (!kept) static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", kept.error().message().c_str()));
}

void add_setting(Output& out, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  out << ", \"" << name << "\": ";
  out.json(text);
}

void warn_of_changes(const repository::VolumeKeys& keys) {
  const std::size_t changing = keys.changing();
  if (changing == 0) return;
  static_cast<void>(
      std::fprintf(stderr,
                   "zkv: warning: volumes whose key is being changed, and may be another already: %zu; "
                   "'zkv rotate --volume-keys' goes on\n",
                   changing));
}

/// The repository beside it has a record from its first volume on; another takes part in one that is there.
bool may_have_record(const Session& session, const std::filesystem::path& record) {
  std::error_code failed;
  return std::filesystem::exists(record, failed) ||
         repository::real_path(session.repository).parent_path() == record.parent_path();
}

/// A list that cannot be kept is no reason to fail.
void keep_volume_names(const Session& session, const repository::VolumeKeys& keys, const std::string& changed,
                       const host::Renamed& renamed) {
  warn_unless(host::EnrolmentFolder(session.repository).store_volumes(keys));
  const auto path = host::default_drift_path();
  bool is_own = true;
  if (may_have_record(session, path)) {
    warn_unless(host::change_drift_record(path, [&](host::DriftRecord& record) {
      is_own = host::belongs_to(record, session.repository);
      if (is_own) host::take_in(record, keys, changed);
    }));
  }
  if (is_own) warn_unless(host::leave_in_record(host::default_record_path(), keys, renamed));
}

}  // namespace

Result<> check_there(const Session& session) {
  std::error_code error;
  if (std::filesystem::exists(session.repository, error)) return {};
  return repository::format_of(session.repository).map([](auto) {});
}

Result<repository::Opened> open_with_warning(const Session& session, const SecretBytes& key) {
  auto opened = repository::open(session.repository, key);
  if (opened && opened->warning) {
    static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", opened->warning->c_str()));
  }
  if (opened) warn_of_changes(opened->keys);
  return opened;
}

Result<> edit_volumes(const Session& session, const SecretBytes& key,
                      const std::function<Result<>(repository::VolumeKeys&)>& change,
                      const std::string& changed, const host::Renamed& renamed) {
  return repository::edit(session.repository, key, change, [&](const repository::VolumeKeys& keys) {
    keep_volume_names(session, keys, changed, renamed);
  });
}

void remember_names(const Session& session, const SecretBytes& key) {
  if (const auto opened = repository::open(session.repository, key))
    keep_volume_names(session, opened->keys, {}, {});
}

void keep_proof(const Session& session, unlock::Unlocker& unlocker, const unlock::VolumeRef& volume) {
  warn_unless(host::change_drift_record(host::default_drift_path(), [&](host::DriftRecord& record) {
    if (!host::belongs_to(record, session.repository)) return;
    record.volumes[volume.name] = {std::string(unlocker.name()), volume.settings, now(),
                                   unlocker.fingerprints({volume}).front()};
  }));
}

std::string words_of_kinds() {
  std::string words;
  for (const auto& unlocker : unlock::all_unlockers({})) {
    words += (words.empty() ? "" : ", ") + std::string(unlocker->name());
  }
  return words;
}

Result<std::unique_ptr<unlock::Unlocker>> unlocker_named(const std::string& kind) {
  for (auto& unlocker : unlock::all_unlockers({})) {
    if (unlocker->name() == kind) return std::move(unlocker);
  }
  return Error::invalid("there is no kind of volume named " + kind).remedy("there are " + words_of_kinds());
}

Result<> store_volume(const Session& session, const SecretBytes& repository_key,
                      const repository::VolumeKeys::Volume& volume,
                      const std::vector<unlock::DerivedFor>& derived) {
  const auto store = [&](repository::VolumeKeys& keys) -> Result<> {
    if (keys.contains(volume.name)) {
      return Error::exists(volume.name + " is in the repository already")
          .remedy("take another name; or, if that one is given up: zkv volume remove --force " + volume.name);
    }
    ZKV_CHECK(check_place_its_own(keys, {volume.name, volume.settings}));
    ZKV_CHECK(keys.add(volume.name, volume.kind, volume.key));
    ZKV_CHECK(keys.set_settings(volume.name, volume.settings));
    return unlock::keep_derived(keys, derived);
  };
  return edit_volumes(session, repository_key, store, volume.name);
}

Result<> check_not_needed(const repository::VolumeKeys& keys, const RemoveOptions& options) {
  if (options.force || !keys.contains(options.name)) return {};
  return Error::conflict("nothing else may open " + options.name +
                         ", or a copy of it, than the key that would be gone; nothing was removed")
      .remedy("if nobody needs it any more: zkv volume remove --force " + options.name +
              "; if it has another name now: zkv volume rename " + options.name + " NEW");
}

Result<> remove_volume(Session& session, const RemoveOptions& options,
                       const std::function<Result<>(const repository::VolumeKeys&)>& may_be) {
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  bool found = true;
  const auto removed = edit_volumes(session, key, [&](repository::VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(may_be(keys));
    found = keys.contains(options.name);
    return keys.remove(options.name);
  });
  if (!found && options.force) {  // Not written anew: the generation before may be what has the key.
    static_cast<void>(std::fprintf(stderr, "zkv: %s is not in %s; nothing was changed\n",
                                   plain_text(options.name).c_str(), session.repository.c_str()));
    return {};
  }
  ZKV_CHECK(removed);
  Output out;
  return (out << "Removed " << options.name << " from " << session.repository.string() << "\n").write();
}

void print_volumes_json(Output& out, const std::vector<repository::VolumeKeys::Volume>& volumes, bool keys) {
  std::string_view separator = "[";
  for (const auto& volume : volumes) {
    (out << separator << "{\"name\": ").json(volume.name) << ", \"kind\": ";
    out.json(repository::to_text(volume.kind));
    add_setting(out, "device", volume.settings.device);
    add_setting(out, "mountpoint", volume.settings.mountpoint);
    add_setting(out, "options", volume.settings.options);
    add_setting(out, "program", volume.settings.program);
    if (!volume.next_key.empty()) out << ", \"changing\": true";
    if (keys) (out << ", ").json_key(volume.key);
    out << "}";
    separator = ",\n ";
  }
  out << (volumes.empty() ? "[]\n" : "]\n");
}

std::string key_word(const unlock::VolumeState& state) {
  if (state.is_served) return state.is_open ? "served" : "not-served";
  switch (state.presence) {
    case unlock::Presence::kMissing:
      return "missing";
    case unlock::Presence::kPoolMissing:
      return "pool-missing";
    case unlock::Presence::kNotAVolume:
      return "not-a-volume";
    case unlock::Presence::kUnknown:
      return "unknown";
    case unlock::Presence::kPresent:
      break;
  }
  return state.is_open ? "loaded" : "not-loaded";
}

}  // namespace zkv::cli
