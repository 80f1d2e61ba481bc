// /proc/PID/cmdline and environ: strings, each ended by a zero byte.
#include "prompts/processes.h"

#include <charconv>
#include <fstream>
#include <iterator>

namespace zkv::prompts {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> strings_in(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> strings;
  for (std::string text; std::getline(file, text, '\0');) strings.push_back(text);
  return strings;
}

pid_t pid_of(const fs::path& folder) {
  const std::string name = folder.filename();
  pid_t id = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), id);
  return failed == std::errc() && end == name.data() + name.size() ? id : 0;
}

}  // namespace

std::vector<Process> find_processes(const fs::path& proc,
                                    const std::function<bool(const std::vector<std::string>&)>& wanted) {
  std::vector<Process> found;
  std::error_code failed;
  for (fs::directory_iterator entry(proc, failed), end; !failed && entry != end; entry.increment(failed)) {
    const pid_t id = pid_of(entry->path());
    if (id == 0) continue;
    auto arguments = strings_in(entry->path() / "cmdline");
    if (wanted(arguments)) found.push_back({id, std::move(arguments)});
  }
  return found;
}

std::string variable_of(const fs::path& proc, pid_t process, const std::string& name) {
  for (const auto& text : strings_in(proc / std::to_string(process) / "environ")) {
    if (text.starts_with(name + "=")) return text.substr(name.size() + 1);
  }
  return {};
}

}  // namespace zkv::prompts
