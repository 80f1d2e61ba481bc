// Who keeps a filesystem from being unmounted.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace zkv::unlock {

struct UsingProcess {
  int id = 0;
  std::string name;  ///< as the kernel has it, at most 15 bytes
};

/// The processes whose working directory, root, program, open files or mapped files lie at or below `place`,
/// by number; only those that this user may look at. `processes` is /proc. Source: proc(5).
std::vector<UsingProcess> processes_in(const std::string& place, const std::filesystem::path& processes);

/// "one, another", and how many more there are than a few.
std::string first_few(const std::vector<std::string>& words);
/// "postgres (812), bash (901)", the first few of them.
std::string in_words(const std::vector<UsingProcess>& processes);

}  // namespace zkv::unlock
