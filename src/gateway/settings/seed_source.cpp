// The seed's configuration file: the part of Python's syntax that such a file needs, and no more.
#include <fmt/format.h>

#include <cctype>
#include <optional>

#include "base/file.h"
#include "gateway/settings/sources.h"

namespace zkv::gateway {

namespace {

bool is_name_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Reads one line from its start.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line) { skip_blanks(); }

  [[nodiscard]] bool at_end() const { return rest_.empty() || rest_.front() == '#'; }

  Result<std::string_view> name() {
    std::size_t size = 0;
    while (size < rest_.size() && is_name_character(rest_[size])) ++size;
    if (size == 0 || std::isdigit(static_cast<unsigned char>(rest_.front())) != 0) {
      return Error::invalid("this is not a line of the form KEY = 'value'");
    }
    const auto found = rest_.substr(0, size);
    rest_.remove_prefix(size);
    skip_blanks();
    return found;
  }

  Result<> equals_sign() {
    if (!rest_.starts_with('=') || rest_.starts_with("==")) {
      return Error::invalid("an equals sign is missing after the name");
    }
    rest_.remove_prefix(1);
    skip_blanks();
    return {};
  }

  /// A string, number or constant; nothing for None.
  Result<std::optional<SecretBytes>> value() {
    if (rest_.starts_with('\'') || rest_.starts_with('"')) return string();
    std::size_t size = 0;
    while (size < rest_.size() && rest_[size] != '#' && rest_[size] != ' ' && rest_[size] != '\t') ++size;
    const auto word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    skip_blanks();
    if (word == "None") return std::optional<SecretBytes>();
    if (word == "True") return std::optional(SecretBytes::copy_of("true"));
    if (word == "False") return std::optional(SecretBytes::copy_of("false"));
    const auto digits = word.starts_with('-') ? word.substr(1) : word;
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
      return Error::invalid("the value is neither a string in quotes, a whole number, True, False nor None");
    }
    return std::optional(SecretBytes::copy_of(word));
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0)
      rest_.remove_prefix(1);
  }

  Result<std::optional<SecretBytes>> string() {
    const char quote = rest_.front();
    if (rest_.substr(1).starts_with(std::string(2, quote))) {
      return Error::invalid("strings over several lines are not understood here");
    }
    rest_.remove_prefix(1);
    SecretBuilder builder;
    while (!rest_.empty() && rest_.front() != quote) {
      if (rest_.front() == '\\') {
        ZKV_CHECK(escape(builder));
      } else {
        builder.append(rest_.substr(0, 1));
        rest_.remove_prefix(1);
      }
    }
    if (rest_.empty()) return Error::invalid("the string has no closing quote");
    rest_.remove_prefix(1);
    skip_blanks();
    return std::optional(builder.take());
  }

  Result<> escape(SecretBuilder& builder) {
    static constexpr std::string_view kLetters = "\\'\"ntr";
    static constexpr std::string_view kMeanings = "\\'\"\n\t\r";
    rest_.remove_prefix(1);
    if (rest_.empty()) return Error::invalid("a line that goes on after a backslash is not understood here");
    const char letter = rest_.front();
    if (letter == 'x') return hexadecimal(builder);
    const auto index = kLetters.find(letter);
    if (index == std::string_view::npos) {
      return Error::invalid(fmt::format("the escape \\{} is not understood here", letter))
          .remedy("understood are \\\\ \\' \\\" \\n \\t \\r \\xHH");
    }
    builder.append(kMeanings.substr(index, 1));
    rest_.remove_prefix(1);
    return {};
  }

  Result<> hexadecimal(SecretBuilder& builder) {
    const auto byte = from_hex(rest_.substr(1, 2));
    if (!byte || byte->size() != 1 || byte->front() > 0x7f) {
      return Error::invalid("\\x wants two hexadecimal digits, at most 7f");
    }
    builder.append(*byte);
    rest_.remove_prefix(3);
    return {};
  }

  std::string_view rest_;
};

void report_unknown(Source& source, std::string_view key, const std::string& origin) {
  source.warnings.push_back(fmt::format("{}: '{}' is not a setting of this gateway; {}", origin, key,
                                        did_you_mean(upper_snake(nearest_setting(lower_kebab(key))))));
}

Result<> read_line(std::string_view line, const std::string& origin, Source& source) {
  LineReader reader(line);
  if (reader.at_end()) return {};
  ZKV_TRY(const auto key, reader.name());
  ZKV_CHECK(reader.equals_sign());
  ZKV_TRY(auto value, reader.value());
  if (!reader.at_end()) return Error::invalid("there is more on the line than one value");
  const auto name = find_setting(lower_kebab(key));
  if (!name || lower_kebab(key) == key) {
    report_unknown(source, key, origin);
  } else if (value) {
    source.given.push_back({*name, std::move(*value), origin});
  }
  return {};
}

}  // namespace

Source parse_seed_text(std::string_view text, const std::string& where) {
  Source source;
  for (unsigned number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto origin = fmt::format("{}:{}", where, number);
    if (auto read = read_line(text.substr(0, end), origin, source); !read) {
      source.problems.push_back(std::move(read).error().context(origin));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return source;
}

Source read_seed_file(const std::filesystem::path& path) {
  auto text = read_secret_file(path, kSettingsFileLimit);
  if (text) return parse_seed_text(text->view(), path.string());
  Source source;
  source.problems.push_back(std::move(text).error().context("CONFIG_FILE"));
  return source;
}

}  // namespace zkv::gateway
