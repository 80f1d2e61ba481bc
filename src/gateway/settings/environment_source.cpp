// The environment, from which secrets are taken away, and systemd's credentials.
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "gateway/settings/sources.h"

namespace zkv::gateway {

namespace {

constexpr std::string_view kPrefix = "ZKV_";
constexpr std::string_view kConfig = "ZKV_CONFIG";
constexpr std::size_t kCredentialLimit = 1U << 20U;

std::vector<std::string> own_variables() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto end = text.find('=');
    if (text.starts_with(kPrefix) && end != std::string_view::npos) names.emplace_back(text.substr(0, end));
  }
  return names;
}

Given take_variable(const std::string& variable, const SettingName& name) {
  char* const value = std::getenv(variable.c_str());
  const std::string_view text = value == nullptr ? std::string_view() : std::string_view(value);
  Given given{name, SecretBytes::copy_of(text), "environment " + variable};
  if (value != nullptr && name.setting->kind == Setting::Kind::kSecret && !name.is_file) {
    sodium_memzero(value, text.size());
    ::unsetenv(variable.c_str());
  }
  return given;
}

/// Without the newline that an editor leaves at the end.
SecretBytes without_newline(SecretBytes value) {
  while (!value.empty() && (value.view().ends_with('\n') || value.view().ends_with('\r'))) {
    value.truncate(value.size() - 1);
  }
  return value;
}

}  // namespace

Source take_environment() {
  Source source;
  for (const auto& variable : own_variables()) {
    if (variable == kConfig) continue;
    const auto key = lower_kebab(variable.substr(kPrefix.size()));
    const auto name = find_setting(key);
    if (!name) {
      const auto nearest = nearest_setting(key);
      source.warnings.push_back(
          fmt::format("environment {}: not a setting of this gateway; {}", variable,
                      did_you_mean(nearest.empty() ? "" : std::string(kPrefix) + upper_snake(nearest))));
      continue;
    }
    source.given.push_back(take_variable(variable, *name));
  }
  return source;
}

Source read_credentials() {
  Source source;
  const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) return source;
  for (const auto& setting : settings_table()) {
    if (setting.kind != Setting::Kind::kSecret) continue;
    const std::string name(setting.name);
    auto value = read_secret_file(std::filesystem::path(directory) / name, kCredentialLimit);
    if (value) {
      source.given.push_back({{&setting, false}, without_newline(std::move(*value)), "credential " + name});
    } else if (value.error().kind() != ErrorKind::kNotFound) {
      source.problems.push_back(std::move(value).error().context("credential " + name));
    }
  }
  return source;
}

std::string did_you_mean(const std::string& nearest) {
  if (nearest.empty()) return "'zkvgateway config check' lists all settings";
  return "did you mean '" + nearest + "'?";
}

}  // namespace zkv::gateway
