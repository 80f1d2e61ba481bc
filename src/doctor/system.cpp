// Links are followed by hand, so that one that begins with a slash stays below the root.
#include "doctor/system.h"

#include <algorithm>
#include <deque>

#include "unlock/system_tool.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

constexpr int kMostLinks = 40;

}  // namespace

fs::path System::place_of(const fs::path& path) const {
  std::deque<fs::path> left(path.begin(), path.end());
  fs::path reached = "/";
  for (int links = 0; !left.empty();) {
    const fs::path name = left.front();
    left.pop_front();
    if (name == ".." || name.empty() || name == "." || name == "/") {
      if (name == "..") reached = reached.parent_path();
      continue;
    }
    std::error_code none;
    const fs::path here = root_ / (reached / name).relative_path();
    const fs::path target = links < kMostLinks ? fs::read_symlink(here, none) : fs::path();
    if (target.empty() || none) {
      reached /= name;
      continue;
    }
    ++links;
    if (target.is_absolute()) reached = "/";
    left.insert(left.begin(), target.begin(), target.end());
  }
  return root_ / reached.relative_path();
}

Result<std::string> System::read(const fs::path& path) const {
  return unlock::read_system_table(place_of(path));
}

bool System::has(const fs::path& path) const {
  std::error_code failed;
  return fs::exists(place_of(path), failed);
}

std::vector<std::string> System::names_in(const fs::path& directory) const {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(place_of(directory), failed), end; !failed && entry != end;
       entry.increment(failed)) {
    names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

fs::path System::link_at(const fs::path& path) const {
  std::error_code none;
  return fs::read_symlink(place_of(path.parent_path()) / path.filename(), none);
}

}  // namespace zkv::doctor
