// Finds the secrets among argv by the parser's own knowledge of its options.
#include "given_secrets.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"

namespace zkv::cli {

namespace {

constexpr char kTicketMark = '\x1f';
constexpr std::size_t kLongestStdin = 9 * 1024 * 1024;  // the longest raw key, and what stands before it

bool takes_value(const CLI::Option* option) {
  return option != nullptr && option->get_items_expected_max() > 0;
}

bool is_secret(const CLI::Option* option) {
  if (option == nullptr) return false;
  const auto type = option->get_type_name();
  return type == kSecretType || type == kSecretLinkType;
}

const CLI::Option* find_option(const CLI::App* app, const std::string& name) {
  for (; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* option = app->get_option_no_throw(name); option != nullptr) return option;
  }
  return nullptr;
}

const CLI::App* find_subcommand(const CLI::App* app, const std::string& name) {
  const auto found =
      app->get_subcommands([&](const CLI::App* subcommand) { return subcommand->check_name(name); });
  return found.empty() ? nullptr : found.front();
}

const CLI::Option* find_positional(const CLI::App* app, std::size_t number) {
  const auto positionals =
      app->get_options([](const CLI::Option* option) { return option->get_positional(); });
  return number < positionals.size() ? positionals[number] : nullptr;
}

/// Where in one word of argv a secret starts, if one does, and whether the next word belongs to this one.
struct Finding {
  std::optional<std::size_t> secret_at;
  bool next_is_value = false;
  bool next_is_secret = false;
};

Finding look_at_long(const CLI::App* app, const std::string& word) {
  const std::size_t equals = word.find('=');
  const CLI::Option* option = find_option(app, word.substr(0, equals));
  if (equals == std::string::npos) return {{}, takes_value(option), is_secret(option)};
  if (is_secret(option)) return {equals + 1, false, false};
  return {};
}

/// One dash: flags run together, the last of which may take a value.
Finding look_at_short(const CLI::App* app, const std::string& word) {
  for (std::size_t letter = 1; letter < word.size(); ++letter) {
    const CLI::Option* option = find_option(app, std::string{'-', word[letter]});
    if (!takes_value(option)) continue;
    if (letter + 1 == word.size()) return {{}, true, is_secret(option)};
    if (is_secret(option)) return {letter + 1, false, false};
    return {};
  }
  return {};
}

/// Follows argv through the subcommands as the parser will.
class Walk {
 public:
  explicit Walk(const CLI::App& app) : app_(&app) {}

  Finding look_at(const std::string& word) {
    if (value_comes_) {
      const bool secret = std::exchange(secret_comes_, false);
      value_comes_ = false;
      return secret ? Finding{0, false, false} : Finding{};
    }
    const Finding finding = look_at_word(word);
    value_comes_ = finding.next_is_value;
    secret_comes_ = finding.next_is_secret;
    return finding;
  }

 private:
  Finding look_at_word(const std::string& word) {
    if (!only_positionals_ && word == "--") {
      only_positionals_ = true;
      return {};
    }
    if (!only_positionals_ && word.starts_with("--")) return look_at_long(app_, word);
    if (!only_positionals_ && word.starts_with('-') && word.size() > 1) return look_at_short(app_, word);
    const CLI::App* subcommand = only_positionals_ ? nullptr : find_subcommand(app_, word);
    if (subcommand != nullptr) {
      app_ = subcommand;
      positionals_ = 0;
      return {};
    }
    return is_secret(find_positional(app_, positionals_++)) ? Finding{0, false, false} : Finding{};
  }

  const CLI::App* app_;
  std::size_t positionals_ = 0;
  bool only_positionals_ = false;
  bool value_comes_ = false;
  bool secret_comes_ = false;
};

}  // namespace

std::vector<std::string> GivenSecrets::take_from(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> words;
  Walk walk(app);
  for (char** word = argv + 1; word < argv + argc; ++word) {
    const auto secret_at = walk.look_at(*word).secret_at;
    const std::size_t start = secret_at.value_or(std::strlen(*word));
    char* secret = *word + start;
    words.emplace_back(*word, start);
    if (*secret == '\0') continue;
    words.back() += ticket_for(secret);
    explicit_bzero(secret, std::strlen(secret));
  }
  std::reverse(words.begin(), words.end());
  return words;
}

std::string GivenSecrets::ticket_for(std::string_view secret) {
  if (secret == "-") return "-";
  from_arguments_.push_back(SecretBytes::copy_of(secret));
  return kTicketMark + std::to_string(from_arguments_.size() - 1);
}

std::optional<SecretBytes> GivenSecrets::redeem(const std::string& ticket) {
  if (!ticket.starts_with(kTicketMark)) return std::nullopt;
  return std::move(from_arguments_.at(std::stoul(ticket.substr(1))));
}

Result<> GivenSecrets::read_stdin() {
  if (stdin_) return {};
  ZKV_TRY(stdin_, read_secret(STDIN_FILENO, kLongestStdin, "standard input"));
  return {};
}

Result<SecretBytes> GivenSecrets::line_from_stdin() {
  ZKV_CHECK(read_stdin());
  const std::string_view rest = stdin_->view().substr(stdin_used_);
  if (rest.empty()) return Error::invalid("a key was to come by standard input, and there is none");
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  stdin_used_ += end == std::string_view::npos ? rest.size() : end + 1;
  return SecretBytes::copy_of(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
}

Result<SecretBytes> GivenSecrets::rest_of_stdin() {
  ZKV_CHECK(read_stdin());
  const std::string_view rest = stdin_->view().substr(stdin_used_);
  if (rest.empty()) return Error::invalid("a key was to come by standard input, and there is none");
  stdin_used_ = stdin_->size();
  return SecretBytes::copy_of(rest);
}

}  // namespace zkv::cli
