// As a unit of its own where zkv itself runs in one, whose sandbox is not made for such programs.
#include "host/renewed.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/plain_text.h"
#include "repository/store.h"
#include "unlock/guarded_path.h"
#include "unlock/service_manager.h"

namespace zkv::host {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kRenewedLimit{1'800'000};  // an initramfs for each kernel takes its time
constexpr std::string_view kNotWatched = "volumes.json";  // of what approvers are shown, not of what opens

bool is_run_parts_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string mark_of(const fs::path& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return {};
  return std::to_string(about.st_ino) + " " + std::to_string(about.st_mtim.tv_sec) + "." +
         std::to_string(about.st_mtim.tv_nsec) + " " + std::to_string(about.st_size);
}

std::vector<fs::path> programs_in(const fs::path& folder) {
  std::vector<fs::path> programs;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (is_run_parts_name(entry->path().filename().string())) programs.push_back(entry->path());
  }
  std::ranges::sort(programs);
  return programs;
}

Result<> run_program(const fs::path& program, const fs::path& repository) {
  ZKV_CHECK(unlock::check_guarded_program(program));
  const unlock::Command command{
      .program = program, .arguments = {repository.string()}, .input = {}, .limit = kRenewedLimit};
  const bool is_in_unit =
      std::getenv("INVOCATION_ID") != nullptr && unlock::can_use_manager(unlock::kServiceManager);
  ZKV_TRY(const auto finished,
          is_in_unit ? unlock::run_as_service(
                           {.unit = "zkv-renewed-" + program.filename().string(),
                            .description = "Renew what " + program.string() + " keeps of the repository",
                            .command = command},
                           unlock::kServiceManager)
                     : unlock::run(command));
  if (finished.exit_code == 0) return {};
  const auto complaint = plain_text(finished.errors.substr(0, finished.errors.find('\n')));
  return Error::io("it ended with " + std::to_string(finished.exit_code) +
                   (complaint.empty() ? "" : ": " + complaint));
}

}  // namespace

RepositoryFiles RepositoryFiles::of(const fs::path& repository) {
  RepositoryFiles files;
  const auto real = repository::real_path(repository);
  files.seen_[real.string()] = mark_of(real);
  std::error_code failed;
  for (fs::directory_iterator entry(real.string() + ".enrolments", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().filename() != kNotWatched) files.seen_[entry->path().string()] = mark_of(entry->path());
  }
  return files;
}

std::vector<fs::path> RepositoryFiles::paths() const {
  std::vector<fs::path> paths;
  for (const auto& [path, mark] : seen_) paths.emplace_back(path);
  return paths;
}

std::vector<Error> run_renewed_programs(const fs::path& folder, const fs::path& repository) {
  std::vector<Error> failures;
  for (const auto& program : programs_in(folder)) {
    auto done = run_program(program, repository::real_path(repository));
    if (!done) failures.push_back(std::move(done).error().context(program.string()));
  }
  return failures;
}

}  // namespace zkv::host
