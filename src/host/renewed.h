// What others keep of the repository (a copy in the initramfs, say) is renewed by programs of theirs, once it
// changed.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace zkv::host {

inline constexpr const char* kRenewedPrograms = "/etc/zkv/renewed.d";

/// By this it is seen whether a command replaced the repository or an enrolment.
class RepositoryFiles {
 public:
  /// As they are now.
  static RepositoryFiles of(const std::filesystem::path& repository);
  bool operator==(const RepositoryFiles&) const = default;
  [[nodiscard]] std::vector<std::filesystem::path> paths() const;

 private:
  std::map<std::string, std::string> seen_;  ///< path → what changes with every replacement
};

/// Runs the programs in `folder`, as run-parts(8) does: those whose names are letters, digits, - and _, in
/// the order of their names, each with the repository's path as its one argument. One that fails, or that
/// others can write, is told and stops no other. Errors: none where there is no folder.
std::vector<Error> run_renewed_programs(const std::filesystem::path& folder,
                                        const std::filesystem::path& repository);

}  // namespace zkv::host
