// The commands of `zkvgateway`, one file each; a command adds its words to the parser and, when it was
// chosen, leaves an exit code in the session.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>

#include "base/result.h"
#include "gateway/settings/settings.h"

namespace zkv::cli {

/// Exit codes; programs should take a number they do not know for a failure.
enum class ExitCode : std::uint8_t { kDone = 0, kFailed = 1, kUsage = 2 };

struct Session {
  gateway::LoadInput input;  ///< --config, and every setting given as a flag
  ExitCode exit_code = ExitCode::kDone;
};

void add_doctor_command(CLI::App& app, Session& session);
void add_init_command(CLI::App& app, Session& session);
void add_serve_command(CLI::App& app, Session& session);
void add_config_commands(CLI::App& app, Session& session);
void add_secret_commands(CLI::App& app, Session& session);
void add_request_commands(CLI::App& app, Session& session);
void add_host_commands(CLI::App& app, Session& session);
void add_approver_commands(CLI::App& app, Session& session);
void add_invite_commands(CLI::App& app, Session& session);
void add_audit_commands(CLI::App& app, Session& session);

/// Prints the error and its remedy to stderr ("zkvgateway: …").
void report(const Error& error);
/// Prints the error, if there is one, and returns the exit code.
ExitCode finish(const Result<>& result);

}  // namespace zkv::cli
