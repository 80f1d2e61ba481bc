// The gateway's program: parses words, lets one command do its work, and ends with its exit code.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>

#include "base/secret_bytes.h"
#include "commands.h"
#include "gateway/settings/table.h"

namespace zkv::cli {

namespace {

constexpr const char* kFooter =
    "\nExit codes: 0 all is done; 1 it failed; 2 the command line, or a setting of 'serve', is wrong.\n"
    "Settings: flags, ZKV_* variables and /etc/zkv/gateway.toml; see gateway.toml(5).";

Error not_expected(const std::vector<std::string>& words) {
  std::string remedy = "'zkvgateway COMMAND --help' shows what a command takes";
  for (const auto& word : words) {
    const auto nearest = word.starts_with("--") ? gateway::nearest_setting(word.substr(2)) : "";
    if (nearest.empty()) continue;
    remedy = fmt::format("did you mean --{}?", nearest);
    break;
  }
  return Error::invalid(fmt::format("not expected here: {}", fmt::join(words, " "))).remedy(remedy);
}

int run(int argc, char** argv) {
  CLI::App app("Asks people before it gives out the keys of encrypted volumes.", "zkvgateway");
  Session session;
  app.set_version_flag("--version", "zkvgateway " ZKV_VERSION, "print the version");
  app.footer(kFooter);
  add_init_command(app, session);
  add_doctor_command(app, session);
  add_serve_command(app, session);
  add_config_commands(app, session);
  add_secret_commands(app, session);
  add_request_commands(app, session);
  add_host_commands(app, session);
  add_approver_commands(app, session);
  add_invite_commands(app, session);
  add_audit_commands(app, session);
  app.add_subcommand("help", "print this help");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    report(not_expected(app.remaining(true)));
    return static_cast<int>(ExitCode::kUsage);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  if (app.get_subcommands().empty()) {
    fmt::print(stderr, "{}", app.help());
    return static_cast<int>(ExitCode::kFailed);
  }
  if (app.got_subcommand("help")) {
    fmt::print("{}", app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal));
  }
  return static_cast<int>(session.exit_code);
}

}  // namespace

void report(const Error& error) {
  fmt::print(stderr, "zkvgateway: {}\n", error.message());
  if (!error.remedy().empty()) fmt::print(stderr, "zkvgateway: {}\n", error.remedy());
}

ExitCode finish(const Result<>& result) {
  if (result) return ExitCode::kDone;
  report(result.error());
  return ExitCode::kFailed;
}

}  // namespace zkv::cli

int main(int argc, char** argv) {
  if (!zkv::protect_process_memory()) {
    static_cast<void>(std::fputs("zkvgateway: the system has no source of random numbers\n", stderr));
    return 1;
  }
  try {
    return zkv::cli::run(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "zkvgateway: %s\n", error.what()));
    return 1;
  }
}
