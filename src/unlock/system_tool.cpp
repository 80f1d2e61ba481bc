// Both with limits: a table that has no end and a program that hangs are given up.
#include "unlock/system_tool.h"

#include "base/file.h"
#include "unlock/child_process.h"

namespace zkv::unlock {

namespace {

constexpr std::size_t kTableLimit = std::size_t{16} << 20U;

}  // namespace

Result<std::string> read_system_table(const std::filesystem::path& path) {
  ZKV_TRY(const auto bytes, read_file(path, kTableLimit));
  return std::string(bytes.begin(), bytes.end());
}

Result<std::string> run_tool(const std::string& name, std::vector<std::string> words, int also_good,
                             std::chrono::milliseconds limit) {
  ZKV_TRY(const auto program, find_program(name));
  ZKV_TRY(auto finished, run({program, std::move(words), {}, limit}));
  if (finished.exit_code == 0 || finished.exit_code == also_good) return std::move(finished.output);
  std::string complaint = finished.errors.substr(0, finished.errors.find('\n'));
  if (complaint.empty()) complaint = name + " ended with code " + std::to_string(finished.exit_code);
  return Error::io(std::move(complaint));
}

}  // namespace zkv::unlock
