// A look at a bounded number of entries: where there are so many, something was put there.
#include "unlock/hidden_files.h"

#include <filesystem>
#include <system_error>

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr int kMostDirectories = 1000;

bool holds_more_than_directories(const std::string& path) {
  std::error_code failed;
  int seen = 0;
  for (fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, failed),
       end;
       !failed && entry != end; entry.increment(failed)) {
    const bool is_directory = entry->symlink_status(failed).type() == fs::file_type::directory;
    if (!is_directory || ++seen > kMostDirectories) return true;
  }
  return false;
}

}  // namespace

std::string hidden_by_mounting(const std::string& mountpoint) {
  return holds_more_than_directories(mountpoint) ? "it hides what lay in that directory" : std::string();
}

}  // namespace zkv::unlock
