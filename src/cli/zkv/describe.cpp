// Which commands are described to the parser.
#include <algorithm>

#include "commands.h"

namespace zkv::cli {

namespace {

bool is_named(const Group& group, std::span<char*> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return !word.empty() && std::find(group.names.begin(), group.names.end(), word) != group.names.end();
  });
}

}  // namespace

void describe(std::span<const Group> groups, CLI::App& app, Session& session) {
  const auto words = session.words;
  const bool wants_help = std::any_of(words.begin(), words.end(), [](std::string_view word) {
    return word == "help" || word == "--help" || word == "-h";
  });
  const bool wants_all = wants_help || std::none_of(groups.begin(), groups.end(), [&](const Group& group) {
                           return is_named(group, words);
                         });
  for (const auto& group : groups) {
    if (wants_all || is_named(group, words)) group.add(app, session);
  }
}

}  // namespace zkv::cli
