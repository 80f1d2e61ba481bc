// What all commands that speak to a running gateway have in common: how they find it, how they print.
#pragma once

#include <CLI/App.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "commands.h"

namespace zkv::cli {

/// A command with --config, --data-dir and --socket.
CLI::App* add_control_command(CLI::App& parent, Session& session, const std::string& name,
                              const std::string& help);

/// An option that takes a time with its unit, in seconds.
void add_time(CLI::App& command, const std::string& name, std::uint64_t& seconds, const std::string& help);
/// The option --expires of an invite, in seconds.
void add_expires(CLI::App& command, std::uint64_t& seconds);

/// A member as text, whatever its kind; null is empty.
std::string member(const boost::json::value& object, const char* name);

/// Each member on a line of its own.
void print_members(const boost::json::value& object);

}  // namespace zkv::cli
