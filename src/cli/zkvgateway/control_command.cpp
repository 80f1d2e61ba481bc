// Flags and printing for commands over the control socket.
#include "control_command.h"

#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

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
