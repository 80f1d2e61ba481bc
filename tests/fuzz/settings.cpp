// All settings at once: a TOML file, and after a zero byte NAME=VALUE of the environment, zero bytes between.
#include "gateway/settings/settings.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz.h"
#include "gateway/settings/table.h"

namespace zkv::fuzz_settings {
namespace {

/// A file that lives in memory only; its path names it as long as this lives.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> contents) : file_(::memfd_create("settings", 0)) {
    const auto written = ::write(file_.get(), contents.data(), contents.size());
    fuzz::require(written == static_cast<ssize_t>(contents.size()), "the file is written");
  }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

 private:
  FileDescriptor file_;
};

/// Variables of the gateway's own, taken back at the end.
class Environment {
 public:
  ~Environment() {
    for (const auto& name : names_) ::unsetenv(name.c_str());
  }
  Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  void set(std::string_view entry) {
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) return;
    names_.push_back("ZKV_" + std::string(entry.substr(0, equals)));
    ::setenv(names_.back().c_str(), std::string(entry.substr(equals + 1)).c_str(), 1);
  }

 private:
  std::vector<std::string> names_;
};

void check(const gateway::Loaded& loaded) {
  for (const auto& problem : loaded.problems) fuzz::require_words(problem);
  const auto table = gateway::settings_table();
  fuzz::require(loaded.effective.size() == table.size(), "every setting is shown");
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto& shown = loaded.effective[i];
    fuzz::require(shown.name == table[i].name && !shown.origin.empty(),
                  "each is shown, and where it is from");
    if (table[i].kind != gateway::Setting::Kind::kSecret) continue;
    fuzz::require(shown.value.empty() || shown.value == "(secret)", "no secret is shown");
    const auto variable = "ZKV_" + gateway::upper_snake(table[i].name);
    fuzz::require(std::getenv(variable.c_str()) == nullptr, "no secret stays in the environment");
  }
}

}  // namespace

ZKV_FUZZ_TARGET(settings) {
  fuzz::Pieces pieces({data, size});
  const MemoryFile file(pieces.piece());
  Environment environment;
  while (!pieces.at_end()) environment.set(pieces.text());
  gateway::LoadInput input;
  input.config = file.path();
  check(gateway::load_settings(input));
  return 0;
}

}  // namespace zkv::fuzz_settings
