// The table of settings: one row knows a setting in all its forms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/settings/settings.h"

namespace zkv::gateway {

struct Setting {
  enum class Kind : std::uint8_t { kText, kNumber, kBoolean, kList, kSecret };

  std::string_view
      name;  ///< TOML key and flag; ZKV_ and upper snake in the environment; upper snake in the seed's file
  std::string_view alias;  ///< the seed's name where it differs, in the same form; or empty
  Kind kind = Kind::kText;
  std::string_view fallback;  ///< the value when nobody gives one
  std::string_view help;
  /// Puts the text of a value, which is not empty, into the settings; a list's elements are separated by
  /// commas.
  Result<> (*apply)(Settings& settings, std::string_view value) = nullptr;
  /// The same for Kind::kSecret.
  void (*take)(Settings& settings, SecretBytes value) = nullptr;
};

std::span<const Setting> settings_table();

/// Which row a name in lower case with hyphens means. A secret N can also be named N-file: the path of a file
/// that holds it.
struct SettingName {
  const Setting* setting = nullptr;
  bool is_file = false;
};
std::optional<SettingName> find_setting(std::string_view name);
/// The name most like a wrong one, or empty when none is near.
std::string nearest_setting(std::string_view name);

/// KEY_VAULT_URI ↔ key-vault-uri.
std::string lower_kebab(std::string_view upper_snake);
std::string upper_snake(std::string_view lower_kebab);

}  // namespace zkv::gateway
