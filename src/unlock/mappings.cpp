// Source: the kernel's Documentation/ABI/testing/sysfs-block-dm, and "loop/backing_file" of its loop driver.
#include "unlock/mappings.h"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    names.push_back(entry->path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Mappings Mappings::read(const fs::path& blocks) {
  Mappings mappings(blocks);
  for (const auto& node : names_in(blocks)) {
    const fs::path folder = blocks / node;
    const std::string name = first_line(folder / "dm" / "name");
    if (name.empty()) continue;
    mappings.all_.push_back({name, node, first_line(folder / "dev"), first_line(folder / "dm" / "uuid"),
                             names_in(folder / "slaves"), names_in(folder / "holders")});
  }
  return mappings;
}

const Mapping* Mappings::find(std::string_view name) const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Mapping& mapping) { return mapping.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

const Mapping* Mappings::luks_on(const fs::path& device) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Mapping& mapping) {
    return mapping.is_luks() && lies_on(mapping, device);
  });
  return found == all_.end() ? nullptr : &*found;
}

bool Mappings::lies_on(const Mapping& mapping, const fs::path& device) const {
  return std::any_of(mapping.devices.begin(), mapping.devices.end(), [&](const std::string& below) {
    if (below == device.filename() || first_line(blocks_ / below / "loop" / "backing_file") == device) {
      return true;
    }
    const auto layer = std::find_if(all_.begin(), all_.end(),
                                    [&](const Mapping& candidate) { return candidate.node == below; });
    return layer != all_.end() && layer->is_layer_of_cryptsetup() && lies_on(*layer, device);
  });
}

}  // namespace zkv::unlock
