// The record as a JSON object, one member for each volume.
#include "host/drift_record.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/encoding.h"
#include "base/file.h"
#include "host/unlock_record.h"

namespace zkv::host {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t kDriftLimit = std::size_t{16} << 20U;
constexpr std::size_t kBookLimit = 10'000;  ///< of names, so that no file makes us busy for ever

std::string text_at(const json::object& object, json::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Time time_at(const json::object& object, json::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? Time(std::chrono::milliseconds(value->get_int64())) : Time();
}

std::set<std::string, std::less<>> names_at(const json::object& object, json::string_view name) {
  std::set<std::string, std::less<>> names;
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return names;
  for (const auto& one : value->get_array()) {
    if (one.is_string()) names.emplace(one.get_string());
  }
  return names;
}

std::int64_t count_of(Time time) { return time.time_since_epoch().count(); }

json::object json_of(const KnownVolume& volume) {
  json::object marks;
  for (const auto& [name, value] : volume.fingerprint.marks) marks[name] = value;
  return {{"kind", volume.kind},
          {"device", volume.settings.device},
          {"mountpoint", volume.settings.mountpoint},
          {"options", volume.settings.options},
          {"program", volume.settings.program},
          {"proved", count_of(volume.proved)},
          {"marks", std::move(marks)},
          {"last_change", volume.fingerprint.last_change},
          {"refused", volume.refused},
          {"unseen", volume.fingerprint.unseen}};
}

KnownVolume volume_from(const std::string& name, const json::object& object) {
  KnownVolume volume{text_at(object, "kind"),
                     {text_at(object, "device"), text_at(object, "mountpoint"), text_at(object, "options"),
                      text_at(object, "program")},
                     time_at(object, "proved"),
                     {name, {}, text_at(object, "last_change"), text_at(object, "unseen")},
                     text_at(object, "refused")};
  const auto* marks = object.if_contains("marks");
  if (marks == nullptr || !marks->is_object()) return volume;
  for (const auto& [mark, value] : marks->get_object()) {
    if (value.is_string()) volume.fingerprint.marks[std::string(mark)] = std::string(value.get_string());
  }
  return volume;
}

std::string text_of(const DriftRecord& record) {
  json::object volumes;
  for (const auto& [name, volume] : record.volumes) volumes[name] = json_of(volume);
  json::array accepted(record.accepted.begin(), record.accepted.end());
  json::array changing(record.changing.begin(), record.changing.end());
  return json::serialize(json::object{{"repository", record.repository},
                                      {"drilled", count_of(record.drilled)},
                                      {"accepted", std::move(accepted)},
                                      {"changing", std::move(changing)},
                                      {"volumes", std::move(volumes)}}) +
         "\n";
}

Result<DriftRecord> record_from(std::string_view text, const fs::path& path) {
  boost::system::error_code failed;
  const auto whole = json::parse(json::string_view(text.data(), text.size()), failed);
  const auto* object = failed ? nullptr : whole.if_object();
  const auto* volumes = object == nullptr ? nullptr : object->if_contains("volumes");
  if (volumes == nullptr || !volumes->is_object()) {
    return Error::corrupt(path.string() + " is not a record of volumes")
        .remedy("remove it, and run a drill: it is made anew");
  }
  DriftRecord record;
  record.repository = text_at(*object, "repository");
  record.drilled = time_at(*object, "drilled");
  record.accepted = names_at(*object, "accepted");
  record.changing = names_at(*object, "changing");
  for (const auto& [name, value] : volumes->get_object()) {
    if (record.volumes.size() >= kBookLimit) break;
    if (value.is_object()) {
      record.volumes[std::string(name)] = volume_from(std::string(name), value.get_object());
    }
  }
  return record;
}

bool refutes(unlock::Happened happened) {
  return happened == unlock::Happened::kWrongKey || happened == unlock::Happened::kUnusableKey;
}

bool proves(unlock::Happened happened) {
  return happened == unlock::Happened::kOpened || happened == unlock::Happened::kKeyFits;
}

}  // namespace

std::string accepted_name(std::string_view kind, const std::string& volume,
                          const repository::VolumeSettings& settings) {
  return std::string(kind) + ":" + (settings.device.empty() ? volume : settings.device);
}

fs::path default_drift_path() { return default_record_path().replace_filename("drift.json"); }

Result<DriftRecord> read_drift_record(const fs::path& path) {
  const auto bytes = read_file(path, kDriftLimit);
  if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) return DriftRecord();
  if (!bytes) return tl::unexpected(bytes.error());
  return record_from({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, path);
}

Result<> change_drift_record(const fs::path& path, const std::function<void(DriftRecord&)>& change) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed) return Error::system("making " + path.parent_path().string(), failed.value());
  ZKV_TRY(const auto lock, FileLock::acquire(path));
  remove_leftovers(path);
  DriftRecord record = read_drift_record(path).value_or(DriftRecord());
  change(record);
  return replace_file(path, bytes_of(text_of(record)),
                      {.mode = 0600, .previous = std::nullopt, .is_kept_at_once = false});
}

bool belongs_to(DriftRecord& record, const fs::path& repository) {
  std::error_code failed;
  const auto real = fs::weakly_canonical(repository, failed);
  if (failed) return false;
  // A link may have taken the place of the file since.
  const bool is_same = record.repository.empty() || fs::weakly_canonical(record.repository, failed) == real;
  if (!is_same && fs::exists(record.repository, failed)) return false;
  record.repository = real;
  return true;
}

void take_in(DriftRecord& record, const MountReport& report, bool is_whole, const Unlockers& unlockers,
             Time now) {
  decltype(record.volumes) taken;
  for (const auto& unlocker : unlockers) {
    std::vector<unlock::VolumeRef> proved;
    for (const auto& [kind, outcome, settings] : report.volumes) {
      if (kind != unlocker->name()) continue;
      auto& volume = taken[outcome.volume];
      const auto known = record.volumes.find(outcome.volume);
      if (known != record.volumes.end() && known->second.kind == kind) volume = known->second;
      volume.kind = kind;
      volume.settings = settings;
      if (refutes(outcome.happened)) volume.refused = outcome.detail;
      if (outcome.is_as_before && !volume.fingerprint.marks.empty()) {
        volume.proved = now;
        volume.refused.clear();
      } else if (proves(outcome.happened)) {
        proved.push_back({outcome.volume, settings});
      }
    }
    if (proved.empty()) continue;
    for (auto& fingerprint : unlocker->fingerprints(proved)) {
      auto& volume = taken[fingerprint.volume];
      volume.proved = now;
      volume.refused.clear();
      volume.fingerprint = std::move(fingerprint);
    }
  }
  if (is_whole) record.changing.clear();
  for (const auto& volume : report.volumes) record.changing.erase(volume.outcome.volume);
  record.changing.insert(report.changing.begin(), report.changing.end());
  if (is_whole) record.volumes.clear();
  for (auto& [name, volume] : taken) record.volumes[name] = std::move(volume);
}

void take_in(DriftRecord& record, const repository::VolumeKeys& keys, const std::string& changed) {
  std::erase_if(record.volumes, [&](const auto& known) { return !keys.contains(known.first); });
  record.changing.clear();
  for (const auto& volume : keys.volumes()) {
    if (!volume.next_key.empty()) record.changing.insert(volume.name);
    auto& known = record.volumes[volume.name];
    if (volume.name == changed || known.kind != repository::to_text(volume.kind)) known = {};
    known.kind = repository::to_text(volume.kind);
    known.settings = volume.settings;
    record.accepted.erase(accepted_name(known.kind, volume.name, volume.settings));
  }
}

}  // namespace zkv::host
