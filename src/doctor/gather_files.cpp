// Owners and modes of what decides who can open the volumes.
#include <sys/stat.h>

#include <sstream>

#include "doctor/gather_parts.h"
#include "host/renewed.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

void look_at(const fs::path& path, const std::string& what, bool is_secret, Facts& facts) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return;
  facts.files.push_back(
      {path.string(), what, about.st_uid, about.st_mode & 07777U, is_secret, S_ISDIR(about.st_mode)});
}

/// The words after --cafile in the service's options.
std::string ca_file_of(const Facts& facts) {
  const auto options = facts.service_settings.find("ZKV_OPTIONS");
  if (options == facts.service_settings.end()) return {};
  std::istringstream stream(options->second);
  for (std::string word; stream >> word;) {
    if (word.starts_with("--cafile=")) return word.substr(word.find('=') + 1);
    if (word == "--cafile" && stream >> word) return word;
  }
  return {};
}

void look_at_folder(const fs::path& folder, const std::string& what, Facts& facts) {
  look_at(folder, what, true, facts);
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto ending = entry->path().extension();
    const bool holds_keys = ending == ".key" || ending == ".tpm";
    look_at(entry->path(), holds_keys ? "this host's key and share" : "an enrolment", holds_keys, facts);
  }
}

}  // namespace

void gather_files(const GatherOrder& order, Facts& facts) {
  const auto file = repository_file(order);
  look_at(file, "the repository", true, facts);
  look_at(file.string() + ".previous", "the repository's generation before", true, facts);
  look_at_folder(file.string() + ".enrolments", "the folder of enrolments", facts);
  look_at(file.parent_path(), "the repository's directory", false, facts);
  look_at(order.system.place_of("/etc/default/zfs-keyvault"), "the settings of the service", false, facts);
  const auto ca_file = ca_file_of(facts);
  if (!ca_file.empty())
    look_at(order.system.place_of(ca_file), "the file of trusted certificates", false, facts);
  const fs::path programs = host::kRenewedPrograms;
  look_at(order.system.place_of(programs), "the folder of programs that zkv runs", false, facts);
  for (const auto& name : order.system.names_in(programs)) {
    look_at(order.system.place_of(programs / name), "a program that zkv runs", false, facts);
  }
  for (const std::string_view name : {"zfs-keyvault.service", "zfs-keyvault.target"}) {
    const auto& unit = unit_of(facts, name);
    if (unit.is_there())
      look_at(order.system.place_of(unit.file), "the unit " + std::string(name), false, facts);
  }
}

}  // namespace zkv::doctor
