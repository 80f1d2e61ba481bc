// The places a setting may stand in; each gives what it found, and what was wrong with it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/settings/table.h"

namespace zkv::gateway {

/// One setting as a source has it; every value is kept in secret memory, since some are secrets.
struct Given {
  SettingName name;
  SecretBytes value;   ///< text; the path of a file where name.is_file
  std::string origin;  ///< "FILE:LINE", "environment NAME", "credential NAME", "flag --NAME"
};

struct Source {
  std::vector<Given> given;
  std::vector<std::string> warnings;
  std::vector<Error> problems;
};

/// Bytes that a file of settings may have at most.
constexpr std::size_t kSettingsFileLimit = 1U << 20U;

/// TOML: keys as in the table; secrets only by their -file form; an unknown key is a problem.
Source read_toml(const std::filesystem::path& path);

/// The seed's file: lines `KEY = value` with a string, a whole number, True, False or None. A name that is
/// not ours is a warning, since it may be one of Flask's; anything but such a line is a problem.
Source read_seed_file(const std::filesystem::path& path);
/// The same from text already read; `where` names it.
Source parse_seed_text(std::string_view text, const std::string& where);

/// ZKV_ variables; those with secrets are wiped and removed. An unknown one is a warning.
Source take_environment();

/// Secrets by name under $CREDENTIALS_DIRECTORY. Source: systemd.exec(5), LoadCredential=.
Source read_credentials();

/// A sentence that names the nearest right name, for a remedy; or one that says where the list is.
std::string did_you_mean(const std::string& nearest);

}  // namespace zkv::gateway
