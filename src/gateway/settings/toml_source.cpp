// The TOML file, by toml++; its exceptions end here.
#include "gateway/settings/sources.h"

#include <fmt/format.h>

// What toml++ 3.3 asserts of a table's header, a file can break; without it, it reports an error as for any
// other.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

#include "base/file.h"

namespace zkv::gateway {

namespace {

/// Errors: beside those of read_file kInvalid for a device or a pipe.
Result<Bytes> read_text(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_other(path, error)) return Error::invalid(path.string() + " is not a regular file");
  return read_file(path, kSettingsFileLimit);
}

/// The value as the one-line text that `apply` reads. Errors: kInvalid for a kind that no setting has.
Result<std::string> to_value_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  const auto* list = node.as_array();
  if (list == nullptr) return Error::invalid("the value is neither a string, a number, a switch nor a list");
  std::string joined;
  for (const auto& element : *list) {
    const auto* text = element.as_string();
    if (text == nullptr) return Error::invalid("a list may hold strings only");
    if (text->get().empty()) {
      return Error::invalid("a list has an empty entry").remedy("take \"\" out, or the whole list");
    }
    joined += (joined.empty() ? "" : ",") + text->get();
  }
  return joined;
}

Result<Given> read_entry(std::string_view key, const toml::node& node, const std::string& origin) {
  const auto name = find_setting(key);
  if (!name) {
    return Error::invalid(fmt::format("unknown setting '{}'", key))
        .remedy(did_you_mean(nearest_setting(lower_kebab(key))));
  }
  if (name->setting->kind == Setting::Kind::kSecret && !name->is_file) {
    return Error::invalid(fmt::format("the secret '{}' does not belong into this file", key))
        .remedy(fmt::format("put it into a file of its own and name that by {}-file", key));
  }
  ZKV_TRY(const auto text, to_value_text(node));
  return Given{*name, SecretBytes::copy_of(text), origin};
}

}  // namespace

Source read_toml(const std::filesystem::path& path) {
  Source source;
  const auto text = read_text(path);
  if (!text) {
    source.problems.push_back(Error(text.error()).context("configuration file"));
    return source;
  }
  try {
    const std::string_view view(reinterpret_cast<const char*>(text->data()), text->size());
    const auto table = toml::parse(view, path.string());
    for (const auto& [key, node] : table) {
      const auto origin = fmt::format("{}:{}", path.string(), key.source().begin.line);
      auto given = read_entry(key.str(), node, origin);
      if (given) {
        source.given.push_back(std::move(*given));
      } else {
        source.problems.push_back(std::move(given).error().context(origin));
      }
    }
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    const auto where = line > 0 ? fmt::format("{}:{}", path.string(), line) : path.string();
    source.problems.push_back(Error::invalid(std::string(error.description())).context(where));
  }
  return source;
}

}  // namespace zkv::gateway
