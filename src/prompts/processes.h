// Other processes, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace zkv::prompts {

struct Process {
  pid_t id = 0;
  std::vector<std::string> arguments;
};

/// All whose arguments `wanted` accepts.
std::vector<Process> find_processes(const std::filesystem::path& proc,
                                    const std::function<bool(const std::vector<std::string>&)>& wanted);

/// The value of a variable in its environment; empty where it has none, or is gone.
std::string variable_of(const std::filesystem::path& proc, pid_t process, const std::string& name);

}  // namespace zkv::prompts
