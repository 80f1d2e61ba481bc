// What is not there is empty: devices come and go.
#include "unlock/sysfs.h"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace zkv::unlock {

namespace fs = std::filesystem;

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

std::vector<std::string> devices_of_btrfs(const fs::path& filesystems, const std::string& node) {
  for (const auto& filesystem : names_in(filesystems)) {
    auto nodes = names_in(filesystems / filesystem / "devices");
    if (std::binary_search(nodes.begin(), nodes.end(), node)) return nodes;
  }
  return {};
}

}  // namespace zkv::unlock
