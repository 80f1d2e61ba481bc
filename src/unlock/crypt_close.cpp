// First a look at who uses it, so that nothing is taken down by halves.
#include "unlock/crypt_close.h"

#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include "unlock/crypt_library.h"
#include "unlock/crypt_mount.h"
#include "unlock/layers.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace {

/// Source: proc(5).
bool is_swap(const TopDevice& device, const CryptOptions& options) {
  const auto table = read_system_table(options.swaps);
  if (!table) return false;
  std::istringstream lines(*table);
  for (std::string line; std::getline(lines, line);) {
    const auto path = line.substr(0, line.find_first_of(" \t"));
    if (path.starts_with('/') && std::filesystem::path(real_path(path)).filename() == device.node)
      return true;
  }
  return false;
}

/// What is done with what lies on it.
std::string uses_of(const Mapping& mapping, const CryptOptions& options) {
  std::string uses;
  const auto mounts = CryptMounts::read(options);
  for (const auto& top : tops_of(mapping, options)) {
    if (mounts) {
      for (const auto& place : mounts->places_of(top)) uses += ", mounted at " + place;
    }
    if (is_swap(top, options)) uses += ", used as swap (swapoff " + top.path + ")";
  }
  for (const auto& name : mappings_over(mapping, options.blocks)) uses += ", below the mapping " + name;
  return uses;
}

Outcome in_use(const Mapping& mapping, const std::string& uses) {
  return closed_mapping(mapping.name, Happened::kFailed, "the mapping " + mapping.name + " is in use" + uses,
                        "see what uses it (lsblk /dev/mapper/" + mapping.name + "), end that, and try again");
}

/// Takes down what lies on it. What kept that from happening.
std::optional<Outcome> clear(const Mapping& mapping, const CryptOptions& options) {
  if (mapping.holders.empty()) return std::nullopt;
  if (const auto uses = uses_of(mapping, options); !uses.empty()) return in_use(mapping, uses);
  const auto down = take_down(mapping, options);
  if (down) return std::nullopt;
  return in_use(mapping, ": " + down.error().message());
}

}  // namespace

Outcome closed_mapping(const std::string& name, Happened happened, std::string detail, std::string remedy) {
  return {name, happened, std::move(detail), std::move(remedy), {}};
}

Outcome close_mapping(const Mapping& mapping, const CryptOptions& options) {
  const auto& name = mapping.name;
  const auto library = CryptLibrary::load(options.libraries);
  if (!library) return closed_mapping(name, Happened::kFailed, library.error().message());
  if (auto kept = clear(mapping, options)) return std::move(*kept);
  const auto ended = library->deactivate(name);
  if (ended) return closed_mapping(name, Happened::kClosed);
  if (ended.error().kind() == ErrorKind::kNotFound) return closed_mapping(name, Happened::kAlreadyClosed);
  if (ended.error().kind() != ErrorKind::kConflict) {
    return closed_mapping(name, Happened::kFailed, ended.error().message(), ended.error().remedy());
  }
  auto uses = uses_of(mapping, options);
  for (const auto& holder : mapping.holders) uses += ", part of " + holder;
  return in_use(mapping, uses);
}

}  // namespace zkv::unlock
