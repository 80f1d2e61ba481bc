// Enrolments as files.
#include "host/enrolment.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "base/file.h"
#include "protocol/json_members.h"
#include "repository/store.h"

namespace zkv::host {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t kFileLimit = std::size_t{128} << 10U;
constexpr std::size_t kLongestAddress = 2'000;
constexpr std::uint64_t kHighestSlot = 0xffff'ffff;
constexpr std::string_view kEnding = ".json";
constexpr std::string_view kPendingFile = "pending.json";
constexpr std::string_view kVolumesFile = "volumes.json";
constexpr std::string_view kFileKeys = ".key";
constexpr std::string_view kTpmKeys = ".tpm";
constexpr std::string_view kNewKeysFile = "new-keys";
constexpr std::size_t kVolumesLimit = std::size_t{1} << 20U;

bool is_extra(const std::string& name) { return name == kPendingFile || name == kVolumesFile; }

json::object to_json(const Enrolment& enrolment) {
  json::object object{{"address", enrolment.address},
                      {"gateway", to_hex(enrolment.gateway)},
                      {"host", to_hex(enrolment.host)},
                      {"name", enrolment.name},
                      {"repository", to_hex(enrolment.repository)},
                      {"slot", enrolment.slot},
                      {"tpm", enrolment.in_tpm}};
  if (enrolment.certificate) object["certificate"] = to_hex(*enrolment.certificate);
  if (const auto& older = enrolment.predecessor) {
    object["predecessor"] = {{"host", to_hex(older->host)}, {"slot", older->slot}};
  }
  return object;
}

Result<std::uint32_t> read_slot(const protocol::Members& members) {
  ZKV_TRY(const auto slot, members.number("slot", kHighestSlot));
  return static_cast<std::uint32_t>(slot);
}

Result<Predecessor> read_predecessor(const protocol::Members& members) {
  Predecessor older;
  ZKV_TRY(older.host, members.hex<sizeof(protocol::KeyId)>("host"));
  ZKV_TRY(older.slot, read_slot(members));
  return older;
}

Result<Enrolment> read_enrolment(const protocol::Members& members) {
  Enrolment enrolment;
  ZKV_TRY(enrolment.address, members.text("address", kLongestAddress));
  ZKV_TRY(enrolment.gateway, members.hex<sizeof(protocol::KeyId)>("gateway"));
  ZKV_TRY(enrolment.host, members.hex<sizeof(protocol::KeyId)>("host"));
  ZKV_TRY(enrolment.name, members.text("name", protocol::kLongestName));
  ZKV_TRY(enrolment.repository, members.hex<sizeof(protocol::RepositoryId)>("repository"));
  ZKV_TRY(enrolment.slot, read_slot(members));
  if (members.has("predecessor")) {
    ZKV_TRY(const auto older, members.object("predecessor"));
    ZKV_TRY(enrolment.predecessor, read_predecessor(older));
  }
  if (members.has("tpm")) {
    ZKV_TRY(enrolment.in_tpm, members.boolean("tpm"));
  }
  if (members.has("certificate")) {
    ZKV_TRY(enrolment.certificate, members.hex<sizeof(crypto::Sha256)>("certificate"));
  }
  return enrolment;
}

Error damaged(const fs::path& path, const Error& why) {
  return Error::corrupt(path.string() + " is damaged: " + why.message())
      .remedy("rm " + path.string() + ", then enrol again, with a new link from 'zkvgateway host invite'");
}

Result<json::object> read_object(const fs::path& path, std::size_t limit = kFileLimit) {
  ZKV_TRY(const auto bytes, read_file(path, limit));
  auto object = protocol::parse_object({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, limit);
  if (!object) return damaged(path, object.error());
  return object;
}

Result<Enrolment> read_enrolment_file(const fs::path& path) {
  ZKV_TRY(const auto object, read_object(path));
  auto enrolment = read_enrolment(protocol::Members(object));
  if (!enrolment) return damaged(path, enrolment.error());
  return enrolment;
}

Result<PendingEnrolment> read_pending(const protocol::Members& members) {
  PendingEnrolment pending;
  ZKV_TRY(const auto enrolment, members.object("enrolment"));
  ZKV_TRY(pending.enrolment, read_enrolment(enrolment));
  ZKV_TRY(pending.invite, members.hex<sizeof(crypto::Sha256)>("invite"));
  ZKV_TRY(pending.envelope, members.text("envelope", protocol::kLargestEnvelope));
  return pending;
}

Result<> remove_file(const fs::path& path) {
  std::error_code failed;
  fs::remove(path, failed);
  if (failed) return Error::system("removing " + path.string(), failed.value());
  return {};
}

Result<> write_object(const fs::path& path, const json::object& object) {
  const std::string text = json::serialize(object) + "\n";
  return replace_file(path, bytes_of(text));
}

}  // namespace

EnrolmentFolder::EnrolmentFolder(const fs::path& repository)
    : folder_(repository::real_path(repository).string() + ".enrolments") {}

fs::path EnrolmentFolder::file_of(const protocol::KeyId& gateway) const {
  return folder_ / (to_hex(gateway) + std::string(kEnding));
}

fs::path EnrolmentFolder::key_file_of(const protocol::KeyId& host, bool in_tpm) const {
  return folder_ / (to_hex(host) + std::string(in_tpm ? kTpmKeys : kFileKeys));
}

Result<> EnrolmentFolder::make_folder() const {
  std::error_code failed;
  if (fs::create_directories(folder_, failed) && !failed) {
    fs::permissions(folder_, fs::perms::owner_all, failed);
  }
  if (failed) return Error::system("making " + folder_.string(), failed.value());
  return {};
}

Result<std::vector<Enrolment>> EnrolmentFolder::all() const {
  std::vector<Enrolment> enrolments;
  std::error_code failed;
  for (fs::directory_iterator entry(folder_, failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto& path = entry->path();
    if (path.extension() != kEnding || is_extra(path.filename().string())) continue;
    ZKV_TRY(auto enrolment, read_enrolment_file(path));
    enrolments.push_back(std::move(enrolment));
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    return Error::system("reading " + folder_.string(), failed.value());
  }
  std::ranges::sort(enrolments, {}, &Enrolment::address);
  return enrolments;
}

Result<std::optional<Enrolment>> EnrolmentFolder::with(const protocol::KeyId& gateway) const {
  auto enrolment = read_enrolment_file(file_of(gateway));
  if (enrolment) return std::move(*enrolment);
  if (enrolment.error().kind() == ErrorKind::kNotFound) return std::nullopt;
  return std::move(enrolment).error();
}

Result<> EnrolmentFolder::check_keys(const Enrolment& enrolment) const {
  if (!enrolment.in_tpm) return keys_of(enrolment, {}).map([](const EnrolmentKeys&) {});
  return check_tpm_file(key_file_of(enrolment.host, true));
}

Result<EnrolmentKeys> EnrolmentFolder::keys_of(const Enrolment& enrolment, const std::string& tpm) const {
  const auto path = key_file_of(enrolment.host, enrolment.in_tpm);
  auto keys = enrolment.in_tpm ? load_tpm_keys(path, tpm) : load_file_keys(path);
  if (keys && protocol::key_id(keys->identity->identity()) != enrolment.host) {
    return Error::corrupt(path.string() + " holds another host's identity");
  }
  return keys;
}

Result<EnrolmentKeys> EnrolmentFolder::make_keys(const KeyPlace& place) const {
  ZKV_CHECK(make_folder());
  const auto path = folder_ / kNewKeysFile;
  auto keys = place.tpm ? make_tpm_keys(path, *place.tpm) : make_file_keys(path);
  if (!keys) return keys;
  std::error_code failed;
  fs::rename(path, key_file_of(protocol::key_id(keys->identity->identity()), place.tpm.has_value()), failed);
  if (failed) return Error::system("renaming " + path.string(), failed.value());
  return keys;
}

Result<> EnrolmentFolder::store(const Enrolment& enrolment) const {
  ZKV_CHECK(make_folder());
  return write_object(file_of(enrolment.gateway), to_json(enrolment));
}

Result<> EnrolmentFolder::forget(const protocol::KeyId& gateway) const {
  return remove_file(file_of(gateway));
}

void EnrolmentFolder::clear_if_unused() const {
  const auto left = all();
  if (!left || !left->empty()) return;
  std::error_code ignored;
  fs::remove(folder_ / kVolumesFile, ignored);
  fs::remove(folder_ / kNewKeysFile, ignored);
  fs::remove(folder_, ignored);
}

Result<> EnrolmentFolder::forget_keys(const protocol::KeyId& host) const {
  ZKV_CHECK(remove_file(key_file_of(host, true)));
  return remove_file(key_file_of(host, false));
}

Result<> EnrolmentFolder::forget_stray_keys() const {
  ZKV_TRY(const auto enrolments, all());
  ZKV_TRY(const auto begun, pending());
  std::set<std::string> owners;
  for (const auto& enrolment : enrolments) {
    owners.insert(to_hex(enrolment.host));
    if (enrolment.predecessor) owners.insert(to_hex(enrolment.predecessor->host));
  }
  if (begun) owners.insert(to_hex(begun->enrolment.host));
  std::vector<fs::path> strays;
  std::error_code failed;
  for (fs::directory_iterator entry(folder_, failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto& path = entry->path();
    const bool holds_keys = path.extension() == kFileKeys || path.extension() == kTpmKeys;
    if (holds_keys && !owners.contains(path.stem().string())) strays.push_back(path);
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    return Error::system("reading " + folder_.string(), failed.value());
  }
  for (const auto& path : strays) ZKV_CHECK(remove_file(path));
  return {};
}

Result<> EnrolmentFolder::store_volumes(const repository::VolumeKeys& keys) const {
  std::error_code failed;
  if (!fs::exists(folder_, failed)) return {};
  json::array kept;
  for (const auto& volume : keys.volumes()) {
    const bool fits = kept.size() < protocol::kMostVolumes && volume.name.size() <= protocol::kLongestName;
    if (fits) kept.emplace_back(volume.name);
  }
  return write_object(folder_ / kVolumesFile, {{"volumes", std::move(kept)}});
}

Result<std::vector<std::string>> EnrolmentFolder::volumes() const {
  const auto path = folder_ / kVolumesFile;
  const auto object = read_object(path, kVolumesLimit);
  if (!object && object.error().kind() == ErrorKind::kNotFound) return std::vector<std::string>();
  if (!object) return Error(object.error());
  auto names = protocol::Members(*object).texts("volumes", protocol::kMostVolumes, protocol::kLongestName);
  if (!names) return damaged(path, names.error());
  return names;
}

Result<> EnrolmentFolder::check_mode() const {
  std::error_code failed;
  const auto mode = fs::status(folder_, failed).permissions();
  const bool is_open = (mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none;
  if (failed || !is_open) return {};
  return Error::denied("others than its owner may enter " + folder_.string())
      .remedy("chmod 700 " + folder_.string());
}

Result<std::optional<PendingEnrolment>> EnrolmentFolder::pending() const {
  const auto path = folder_ / kPendingFile;
  auto object = read_object(path);
  if (!object && object.error().kind() == ErrorKind::kNotFound) return std::nullopt;
  if (!object) return std::move(object).error();
  auto pending = read_pending(protocol::Members(*object));
  if (!pending) return damaged(path, pending.error());
  return std::move(*pending);
}

Result<> EnrolmentFolder::store_pending(const PendingEnrolment& pending) const {
  ZKV_CHECK(make_folder());
  return write_object(folder_ / kPendingFile, {{"enrolment", to_json(pending.enrolment)},
                                               {"invite", to_hex(pending.invite)},
                                               {"envelope", pending.envelope}});
}

Result<> EnrolmentFolder::forget_pending() const { return remove_file(folder_ / kPendingFile); }

}  // namespace zkv::host
