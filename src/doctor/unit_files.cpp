// Folders in the order in which systemd looks: the administrator's before the packages'.
#include "doctor/unit_files.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 5> kFolders{"/etc/systemd/system", "/run/systemd/system",
                                                   "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                                   "/lib/systemd/system"};
constexpr std::array<std::string_view, 7> kEndings{".service", ".target", ".mount",    ".socket",
                                                   ".path",    ".timer",  ".automount"};

/// What can be added to and never taken back.
constexpr std::array<std::string_view, 9> kDependencies{
    "After", "Before", "Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", "RequiresMountsFor"};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_unit_name(std::string_view name) {
  return std::ranges::any_of(kEndings, [&](std::string_view ending) {
    return name.ends_with(ending) && name.size() > ending.size();
  });
}

/// "a@b.service" → "a@.service"; empty where it is no instance.
std::string template_of(std::string_view name) {
  const auto at = name.find('@');
  const auto dot = name.rfind('.');
  if (at == std::string_view::npos || dot == std::string_view::npos || dot <= at + 1) return {};
  return std::string(name.substr(0, at + 1)) + std::string(name.substr(dot));
}

void take_line(std::string_view line, Unit& unit) {
  const auto equals = line.find('=');
  if (line.empty() || line[0] == '#' || line[0] == ';' || line[0] == '[' || equals == std::string_view::npos)
    return;
  const auto name = trimmed(line.substr(0, equals));
  const auto value = trimmed(line.substr(equals + 1));
  auto& values = unit.settings[std::string(name)];
  if (!value.empty()) {
    values.emplace_back(value);
  } else if (std::ranges::count(kDependencies, name) == 0) {
    values.clear();
  }
}

/// The links in folders such as "multi-user.target.wants".
void read_links(const System& system, const std::string& folder, Units& units) {
  for (const auto& name : system.names_in(folder)) {
    const fs::path directory(name);
    const auto ending = directory.extension();
    if (ending != ".wants" && ending != ".requires" && ending != ".upholds") continue;
    for (const auto& wanted : system.names_in(fs::path(folder) / name)) {
      units[wanted].wanted_by.push_back(directory.stem().string());
    }
  }
}

/// The names whose folders of drop-ins a unit has, the nearest first: its own, what it begins with up to a
/// dash, its template's.
std::vector<std::string> names_of_drop_ins(const std::string& name) {
  std::vector<std::string> names{name};
  const auto ending = name.rfind('.');
  if (ending == std::string::npos) return names;
  for (auto dash = name.rfind('-', ending); dash != std::string::npos && dash > 0;
       dash = name.rfind('-', dash - 1)) {
    names.push_back(name.substr(0, dash + 1) + name.substr(ending));
  }
  if (const auto from_template = template_of(name); !from_template.empty()) {
    std::ranges::move(names_of_drop_ins(from_template), std::back_inserter(names));
  }
  return names;
}

/// A file's name that was met already hides the same name in what comes later.
void find_drop_ins(const System& system, std::string_view folder, const std::string& name,
                   std::map<std::string, std::string>& found) {
  const std::string directory = std::string(folder) + "/" + name + ".d";
  for (const auto& file : system.names_in(directory)) {
    if (file.ends_with(".conf")) found.emplace(file, fs::path(directory) / file);
  }
}

void read_drop_ins(const System& system, const std::string& name, Unit& unit) {
  std::map<std::string, std::string> files;
  const auto names = names_of_drop_ins(name);
  for (const auto folder : kFolders) {
    for (const auto& one : names) find_drop_ins(system, folder, one, files);
  }
  const std::string type = name.substr(name.rfind('.') + 1);
  for (const auto folder : kFolders) find_drop_ins(system, folder, type, files);
  for (const auto& [file, path] : files) {
    if (const auto text = system.read(path)) read_unit_text(*text, unit);
  }
}

void read_unit(const System& system, const std::string& name, Unit& unit) {
  const std::string from_template = template_of(name);
  for (const auto folder : kFolders) {
    for (const auto& candidate : {name, from_template}) {
      const fs::path path = fs::path(folder) / candidate;
      if (candidate.empty()) continue;
      if (!unit.file.empty()) {
        unit.hides_another |= candidate == name && system.has(path);
        continue;
      }
      const auto text = system.read(path);
      const bool is_masked = system.link_at(path) == "/dev/null" || (text && text->empty());
      if (!text && !is_masked) continue;
      unit.file = path;
      unit.is_masked = is_masked;
      if (text) read_unit_text(*text, unit);
    }
  }
  read_drop_ins(system, name, unit);
}

}  // namespace

std::vector<std::string> Unit::words(std::string_view setting) const {
  std::vector<std::string> all;
  const auto found = settings.find(setting);
  if (found == settings.end()) return all;
  for (const auto& value : found->second) {
    std::istringstream stream(value);
    for (std::string word; stream >> word;) all.push_back(word);
  }
  return all;
}

std::string Unit::last(std::string_view setting) const {
  const auto found = settings.find(setting);
  return found == settings.end() || found->second.empty() ? "" : found->second.back();
}

bool Unit::names(std::string_view setting, std::string_view word) const {
  return std::ranges::count(words(setting), word) > 0;
}

void read_unit_text(std::string_view text, Unit& unit) {
  std::istringstream lines{std::string(text)};
  std::string whole;
  for (std::string line; std::getline(lines, line);) {
    const auto part = trimmed(line);
    if (!whole.empty() && (part.starts_with('#') || part.starts_with(';'))) continue;
    whole += part;
    if (whole.ends_with('\\')) {
      whole.back() = ' ';
      continue;
    }
    take_line(whole, unit);
    whole.clear();
  }
  take_line(whole, unit);
}

Units read_units(const System& system) {
  Units units;
  for (const auto folder : kFolders) {
    read_links(system, std::string(folder), units);
    for (const auto& name : system.names_in(folder)) {
      if (is_unit_name(name)) units.try_emplace(name);
    }
  }
  for (auto& [name, unit] : units) read_unit(system, name, unit);
  return units;
}

}  // namespace zkv::doctor
