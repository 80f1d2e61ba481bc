// Flags and printing for commands over the control socket.
#include "control_command.h"

#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <map>

#include "settings_flags.h"
#include "table_output.h"

namespace zkv::cli {

namespace json = boost::json;

CLI::App* add_control_command(CLI::App& parent, Session& session, const std::string& name,
                              const std::string& help) {
  auto* command = parent.add_subcommand(name, help);
  add_settings_flags(*command, session, {"data-dir"});
  command
      ->add_option_function<std::string>(
          "--socket",
          [&session](const std::string& path) { session.input.flags.emplace_back("control-socket", path); },
          "the control socket (default: DATA_DIR/control.sock)")
      ->type_name("PATH");
  return command;
}

void add_expires(CLI::App& command, std::uint64_t& seconds) {
  add_time(command, "--expires", seconds, "how long the link is good for, as in 30m, 1h (default), 7d");
}

void add_time(CLI::App& command, const std::string& name, std::uint64_t& seconds, const std::string& help) {
  command.add_option(name, seconds, help)
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, std::uint64_t>{{"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}},
          CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"));
}

std::string member(const json::value& object, const char* name) {
  const auto& value = object.at(name);
  if (value.is_null()) return {};
  return value.is_string() ? json::value_to<std::string>(value) : json::serialize(value);
}

void print_members(const json::value& object) {
  for (const auto& entry : object.as_object()) {
    const std::string name(entry.key().data(), entry.key().size());
    fmt::print("{:<20}{}\n", name, printable(member(object, name.c_str())));
  }
}

}  // namespace zkv::cli
