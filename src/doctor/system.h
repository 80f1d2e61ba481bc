// The files of this machine, or of one whose root directory is mounted somewhere: every path and every link
// is taken below that root.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace zkv::doctor {

class System {
 public:
  explicit System(std::filesystem::path root = "/") : root_(std::move(root)) {}

  /// Whether it is the machine that runs this.
  [[nodiscard]] bool is_running() const { return root_ == "/"; }
  /// Where the whole path `path` of that machine really is, links followed as far as they lead.
  [[nodiscard]] std::filesystem::path place_of(const std::filesystem::path& path) const;
  /// The text of a file. Errors: those of read_file().
  [[nodiscard]] Result<std::string> read(const std::filesystem::path& path) const;
  [[nodiscard]] bool has(const std::filesystem::path& path) const;
  /// Names in a directory, sorted; none where it cannot be read.
  [[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& directory) const;
  /// What a link holds, as it stands there; empty where it is none.
  [[nodiscard]] std::filesystem::path link_at(const std::filesystem::path& path) const;

 private:
  std::filesystem::path root_;
};

}  // namespace zkv::doctor
