// `zkvgateway config check`: every setting in force, secrets masked, and where each came from.
#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <memory>

#include "gateway/http/page_files.h"
#include "gateway/http/tls_context.h"
#include "settings_flags.h"
#include "table_output.h"

namespace zkv::cli {

namespace {

void print_json(const gateway::Loaded& loaded) {
  boost::json::array settings;
  for (const auto& [name, value, origin] : loaded.effective) {
    settings.push_back(boost::json::object{{"name", name}, {"value", value}, {"origin", origin}});
  }
  boost::json::array problems;
  for (const auto& problem : loaded.problems) problems.push_back(boost::json::string(problem.message()));
  boost::json::array warnings(loaded.warnings.begin(), loaded.warnings.end());
  print_document(boost::json::object{{"settings", std::move(settings)},
                                     {"warnings", std::move(warnings)},
                                     {"problems", std::move(problems)}});
}

void print_table(const gateway::Loaded& loaded) {
  TableOutput table({"SETTING", "VALUE", "FROM"});
  for (const auto& [name, value, origin] : loaded.effective) table.add({name, value, origin});
  table.print();
}

/// What is only seen by trying: whether certificate and key can be read and fit together.
void try_certificate(gateway::Loaded& loaded) {
  const auto& settings = loaded.settings;
  if (settings.tls_certificate.empty() || settings.tls_key.empty()) return;
  auto tls = gateway::http::TlsContext::load(settings.tls_certificate, settings.tls_key);
  if (!tls) loaded.problems.push_back(std::move(tls).error());
}

/// The same for the page: whether it is there.
void try_page(gateway::Loaded& loaded) {
  if (loaded.settings.page_dir.empty()) return;
  auto page = gateway::http::read_page(loaded.settings.page_dir);
  if (!page) loaded.problems.push_back(std::move(page).error());
}

ExitCode check(const Session& session, bool json) {
  auto loaded = gateway::load_settings(session.input);
  try_certificate(loaded);
  try_page(loaded);
  if (json) {
    print_json(loaded);
  } else {
    print_table(loaded);
    static_cast<void>(std::fflush(stdout));  // what is wrong stands below it, also in a file or a pager
    for (const auto& warning : loaded.warnings) fmt::print(stderr, "zkvgateway: warning: {}\n", warning);
    for (const auto& problem : loaded.problems) report(problem);
  }
  return loaded.problems.empty() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

void add_config_commands(CLI::App& app, Session& session) {
  auto* config = app.add_subcommand("config", "settings");
  config->require_subcommand(1);
  auto* command =
      config->add_subcommand("check", "print all settings and where they came from; fail on a wrong one");
  add_settings_flags(*command, session);
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "for programs");
  command->callback([&session, json] { session.exit_code = check(session, *json); });
}

}  // namespace zkv::cli
