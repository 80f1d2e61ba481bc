// The commands of `zkv`, one file each; a command adds its words to the parser and, when it was chosen,
// leaves an exit code in the session.
#pragma once

#include <CLI/App.hpp>
#include <array>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/result.h"
#include "given_secrets.h"
#include "host/renewed.h"

namespace zkv::cli {

/// Exit codes; programs should take a number they do not know for a failure.
enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kPartly = 3,
  kDenied = 4,
  kUndecided = 5,
  kUnavailable = 6,
  kSuperseded = 7,
  kHungUp = 129,
  kInterrupted = 130,
  kTerminated = 143,
};

struct Session {
  std::span<char*> words;  ///< of argv behind the program's name, until the parser took its secrets out
  std::filesystem::path repository;  ///< --repository, or the default place
  ExitCode exit_code = ExitCode::kDone;
  GivenSecrets secrets;                                        ///< what came by argv and stdin
  std::optional<host::RepositoryFiles> before = std::nullopt;  ///< as they were when the command began
};

/// Commands that are described by one function.
struct Group {
  std::array<std::string_view, 3> names;
  void (*add)(CLI::App&, Session&);
};
/// Describing every option of every command takes as long as reading a repository: where words name commands
/// of `groups`, and not the help for all of them, only those are described.
void describe(std::span<const Group> groups, CLI::App& app, Session& session);

void add_fs_commands(CLI::App& app, Session& session);
void add_volume_commands(CLI::App& app, Session& session);
void add_slot_commands(CLI::App& app, Session& session);
void add_recovery_commands(CLI::App& app, Session& session);
void add_repository_commands(CLI::App& app, Session& session);
void add_fetch_command(CLI::App& app, Session& session);
void add_enroll_commands(CLI::App& app, Session& session);
void add_mount_commands(CLI::App& app, Session& session);
void add_agent_command(CLI::App& app, Session& session);
void add_crypttab_commands(CLI::App& app, Session& session);
void add_rotate_command(CLI::App& app, Session& session);
void add_unlock_command(CLI::App& app, Session& session);
void add_early_command(CLI::App& app, Session& session);
void add_reboot_command(CLI::App& app, Session& session);
void add_check_command(CLI::App& app, Session& session);
void add_drill_command(CLI::App& app, Session& session);
void add_status_command(CLI::App& app, Session& session);
void add_doctor_command(CLI::App& app, Session& session);

/// Prints the error and its remedy to stderr ("zkv: …"), and returns the exit code of its kind.
ExitCode report(const Error& error);
/// The same of an error that ends a service: the service manager shows it too, in place of what went before.
ExitCode report_end(const Error& error);

/// kDone, or the error printed and kFailed: for commands that talk to no one else.
ExitCode finish(const Result<>& result);

}  // namespace zkv::cli
