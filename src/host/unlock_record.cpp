// The record as a JSON object, one member for each volume.
#include "host/unlock_record.h"

#include <boost/json.hpp>
#include <cstdlib>

#include "base/encoding.h"
#include "base/file.h"

namespace zkv::host {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t kRecordLimit = std::size_t{16} << 20U;

Time time_in(const json::object& entry, std::string_view name) {
  const auto* value = entry.if_contains(name);
  if (value == nullptr || !value->is_int64()) return Time{};
  return Time(std::chrono::milliseconds(value->get_int64()));
}

std::string text_in(const json::object& entry, std::string_view name) {
  const auto* value = entry.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

repository::VolumeSettings settings_in(const json::object& entry) {
  return {text_in(entry, "device"), text_in(entry, "mountpoint"), text_in(entry, "options"),
          text_in(entry, "program")};
}

std::map<std::string, std::string> texts_in(const json::object& entry, std::string_view name) {
  std::map<std::string, std::string> texts;
  const auto* value = entry.if_contains(name);
  if (value == nullptr || !value->is_object()) return texts;
  for (const auto& [key, text] : value->get_object()) {
    if (text.is_string()) texts[std::string(key)] = std::string(text.get_string());
  }
  return texts;
}

json::object to_json(const std::map<std::string, std::string>& texts) {
  json::object object;
  for (const auto& [key, text] : texts) object[key] = text;
  return object;
}

json::object to_json(const UnlockRecord& record) {
  json::object volumes;
  for (const auto& [name, last] : record) {
    volumes[name] = {{"kind", last.kind},
                     {"tried", last.tried.time_since_epoch().count()},
                     {"result", last.result},
                     {"opened", last.opened.time_since_epoch().count()},
                     {"device", last.settings.device},
                     {"mountpoint", last.settings.mountpoint},
                     {"options", last.settings.options},
                     {"program", last.settings.program},
                     {"unmounted", to_json(last.unmounted)}};
  }
  return {{"volumes", std::move(volumes)}};
}

Result<UnlockRecord> from_json(std::string_view text, const fs::path& path) {
  boost::system::error_code failed;
  const json::value whole = json::parse(json::string_view(text.data(), text.size()), failed);
  const auto* object = failed ? nullptr : whole.if_object();
  const auto* volumes = object == nullptr ? nullptr : object->if_contains("volumes");
  if (volumes == nullptr || !volumes->is_object()) {
    return Error::corrupt(path.string() + " is not a record of unlocks")
        .remedy("remove it; it holds nothing but times");
  }
  UnlockRecord record;
  for (const auto& [name, value] : volumes->get_object()) {
    if (!value.is_object()) continue;
    const auto& entry = value.get_object();
    record[std::string(name)] = {text_in(entry, "kind"),   time_in(entry, "tried"),
                                 text_in(entry, "result"), time_in(entry, "opened"),
                                 settings_in(entry),       texts_in(entry, "unmounted")};
  }
  return record;
}

Result<> write_record(const fs::path& path, const UnlockRecord& record) {
  const std::string text = json::serialize(to_json(record)) + "\n";
  return replace_file(path, bytes_of(text),
                      {.mode = 0644, .previous = std::nullopt, .is_kept_at_once = false});
}

}  // namespace

fs::path default_record_path() {
  const char* directory = std::getenv("STATE_DIRECTORY");
  const bool is_given = directory != nullptr && *directory != '\0';
  return fs::path(is_given ? directory : "/var/lib/zkv") / "last-unlock.json";
}

Result<UnlockRecord> read_record(const fs::path& path) {
  const auto bytes = read_file(path, kRecordLimit);
  if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) return UnlockRecord();
  if (!bytes) return tl::unexpected(bytes.error());
  return from_json({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, path);
}

Result<> enter_into_record(const fs::path& path, std::string_view kind, const std::vector<Tried>& tried,
                           Time now) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed) return Error::system("making " + path.parent_path().string(), failed.value());
  ZKV_TRY(const auto lock, FileLock::acquire(path));
  remove_leftovers(path);
  UnlockRecord record = read_record(path).value_or(UnlockRecord());
  for (const auto& [outcome, settings, unmounted] : tried) {
    LastUnlock& last = record[outcome.volume];
    last.kind = kind;
    last.tried = now;
    last.settings = settings;
    last.unmounted = unmounted;
    last.result = unlock::to_text(outcome.happened);
    if (outcome.happened == unlock::Happened::kOpened) last.opened = now;
  }
  return write_record(path, record);
}

Result<> leave_in_record(const fs::path& path, const repository::VolumeKeys& keys, const Renamed& renamed) {
  std::error_code failed;
  if (!fs::exists(path, failed)) return {};
  ZKV_TRY(const auto lock, FileLock::acquire(path));
  ZKV_TRY(const auto record, read_record(path));
  UnlockRecord left;
  for (const auto& [name, last] : record) {
    const auto moved = renamed.find(name);
    const auto& now = moved == renamed.end() ? name : moved->second;
    if (keys.contains(now)) left.emplace(now, last);
  }
  const bool is_same = renamed.empty() && left.size() == record.size();
  return is_same ? Result<>() : write_record(path, left);
}

}  // namespace zkv::host
