// The host's program: parses words, lets one command do its work, and ends with its exit code.
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "commands.h"
#include "memory_ahead.h"
#include "renewing.h"
#include "repository/repository.h"

namespace zkv::cli {

namespace {

constexpr Group kGroups[] = {
    {{"fs"}, add_fs_commands},
    {{"volume"}, add_volume_commands},
    {{"slot"}, add_slot_commands},
    {{"recovery"}, add_recovery_commands},
    {{"rotate"}, add_rotate_command},
    {{"repository"}, add_repository_commands},
    {{"fetch"}, add_fetch_command},
    {{"enroll", "unenroll"}, add_enroll_commands},
    {{"mount", "unmount", "lock"}, add_mount_commands},
    {{"unlock"}, add_unlock_command},
    {{"early"}, add_early_command},
    {{"agent"}, add_agent_command},
    {{"crypttab"}, add_crypttab_commands},
    {{"reboot-approval"}, add_reboot_command},
    {{"check"}, add_check_command},
    {{"drill"}, add_drill_command},
    {{"status"}, add_status_command},
    {{"doctor"}, add_doctor_command},
};

void add_commands(CLI::App& app, Session& session) {
  app.set_version_flag("--version", "zkv " ZKV_VERSION, "print the version");
  app.add_option("--repository", session.repository,
                 "the repository file (default: $ZKV_REPOSITORY, else /var/lib/zkv/repository if it exists, "
                 "else ~/.zkv-repository)")
      ->type_name("PATH");
  app.fallthrough();
  describe(kGroups, app, session);
  app.add_subcommand("help", "print this help");
}

/// The innermost command that was named.
const CLI::App& chosen(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : chosen(*parsed.back());
}

bool lacks_a_command(const CLI::App& command) {
  return !command.get_subcommands([](const CLI::App*) { return true; }).empty();
}

/// CLI11 tells of --help and --version by exceptions too; those are no failures.
int end_parsing(const CLI::App& app, const CLI::ParseError& error) {
  return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
}

int run(int argc, char** argv) {
  CLI::App app("Unlocks encrypted filesystems with keys that a person releases.", "zkv");
  Session session;
  session.words = {argv + 1, argv + std::max(argc, 1)};
  session.repository = repository::default_path();
  add_commands(app, session);
  app.parse_complete_callback([&] { session.before = host::RepositoryFiles::of(session.repository); });
  try {
    app.parse(session.secrets.take_from(app, argc, argv));
  } catch (const CLI::ParseError& error) {
    return end_parsing(app, error);
  }
  const CLI::App& command = chosen(app);
  if (command.get_name() == "help") {
    static_cast<void>(std::fputs(
        app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal).c_str(), stdout));
  } else if (lacks_a_command(command)) {
    static_cast<void>(std::fputs(app.help().c_str(), stderr));
    return static_cast<int>(ExitCode::kFailed);
  }
  if (!renew_copies(session) && session.exit_code == ExitCode::kDone) session.exit_code = ExitCode::kFailed;
  return static_cast<int>(session.exit_code);
}

}  // namespace

}  // namespace zkv::cli

int main(int argc, char** argv) {
  zkv::cli::map_memory_ahead();
  if (!zkv::protect_process_memory()) {
    static_cast<void>(std::fputs("zkv: the system has no source of random numbers\n", stderr));
    return 1;
  }
  try {
    return zkv::cli::run(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "zkv: %s\n", error.what()));
    return 1;
  }
}
