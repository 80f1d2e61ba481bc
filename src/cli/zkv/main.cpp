// The host's program: parses words, lets one command do its work, and ends with its exit code.
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "commands.h"
#include "memory_ahead.h"
#include "repository/repository.h"

namespace zkv::cli {

namespace {

void add_commands(CLI::App& app, Session& session) {
  app.set_version_flag("--version", "zkv " ZKV_VERSION, "print the version");
  app.add_option("--repository", session.repository,
                 "the repository file (default: $ZKV_REPOSITORY, else /var/lib/zkv/repository if it exists, "
                 "else ~/.zkv-repository)")
      ->type_name("PATH");
  app.fallthrough();
  add_fs_commands(app, session);
  add_volume_commands(app, session);
  add_slot_commands(app, session);
  add_recovery_commands(app, session);
  add_rotate_command(app, session);
  add_repository_commands(app, session);
  add_fetch_command(app, session);
  add_enroll_commands(app, session);
  add_mount_commands(app, session);
  add_unlock_command(app, session);
  add_reboot_command(app, session);
  add_status_command(app, session);
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
  session.repository = repository::default_path();
  add_commands(app, session);
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
