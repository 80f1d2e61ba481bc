// Flags from the table of settings; the directory that they name.
#include "settings_flags.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "gateway/settings/table.h"

namespace zkv::cli {

namespace {

using gateway::Setting;

void add_flag(CLI::App& command, Session& session, const std::string& name, const std::string& help) {
  command
      .add_option_function<std::string>(
          "--" + name,
          [&session, name](const std::string& value) { session.input.flags.emplace_back(name, value); }, help)
      ->type_name("VALUE");
}

void add_setting(CLI::App& command, Session& session, const Setting& setting) {
  std::string help(setting.help);
  if (!setting.fallback.empty()) help += fmt::format(" (default: {})", setting.fallback);
  const std::string name(setting.name);
  if (setting.kind == Setting::Kind::kSecret) {
    add_flag(command, session, name + "-file", "file with: " + help);
  } else {
    add_flag(command, session, name, help);
  }
}

}  // namespace

void add_settings_flags(CLI::App& command, Session& session, const std::vector<std::string>& names) {
  command
      .add_option_function<std::string>(
          "--config", [&session](const std::string& path) { session.input.config = path; },
          "settings in TOML (default: /etc/zkv/gateway.toml, if it is there)")
      ->type_name("FILE");
  for (const auto& setting : gateway::settings_table()) {
    if (names.empty() || std::find(names.begin(), names.end(), setting.name) != names.end()) {
      add_setting(command, session, setting);
    }
  }
}

Result<gateway::Settings> load_settings_or_report(const Session& session) {
  auto loaded = gateway::load_settings(session.input);
  for (const auto& warning : loaded.warnings) fmt::print(stderr, "zkvgateway: warning: {}\n", warning);
  for (const auto& problem : loaded.problems) report(problem);
  if (loaded.problems.empty()) return std::move(loaded.settings);
  return Error::invalid(fmt::format("{} wrong setting(s)", loaded.problems.size()))
      .remedy("'zkvgateway config check' shows all settings and where they came from");
}

Result<> need_database(const gateway::Settings& settings) {
  std::error_code error;
  const auto& path = settings.database;
  if (std::filesystem::exists(path, error)) return {};
  if (error) return Error::system("looking for the database " + path.string(), error.value());
  return Error::not_found("there is no database " + path.string()).remedy("name the gateway's --data-dir");
}

Result<> enter_data_directory(const gateway::Settings& settings) {
  const auto& path = settings.data_dir;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::system("making the data directory " + path.string(), errno);
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Error::system("looking at " + path.string(), errno);
  if (!S_ISDIR(info.st_mode)) return Error::invalid(path.string() + " is not a directory");
  if (::geteuid() != 0 || info.st_uid == 0) return {};
  if (::setresgid(info.st_gid, info.st_gid, info.st_gid) != 0 ||
      ::setresuid(info.st_uid, info.st_uid, info.st_uid) != 0) {
    return Error::system("going on as the owner of " + path.string(), errno);
  }
  return {};
}

}  // namespace zkv::cli
