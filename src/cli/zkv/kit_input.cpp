// A row is checked when it is typed, a part when it is complete; only the rows with a mistake are asked for
// again.
#include "kit_input.h"

#include <algorithm>

#include "base/file.h"
#include "recovery/kit_reader.h"
#include "terminal.h"

namespace zkv::cli {

namespace {

constexpr std::size_t kLongestKit = 256 * 1024;

/// The words of one part while they are being typed.
class PartPrompt {
 public:
  PartPrompt(std::string wanted, Echo echo) : wanted_(std::move(wanted)), echo_(echo) {}

  /// A part without a mistake in it, or else one line that is no word of a kit: a key as it is.
  Result<SecretBytes> ask() {
    while (true) {
      while (words_.size() < recovery::kPartWords) {
        ZKV_TRY(auto line, ask_for_row(words_.size()));
        if (words_.empty() && is_key(line)) return line;
        append(line, words_.size());
      }
      auto text = joined();
      const auto part = recovery::read_part(text.view());
      if (part) return text;
      complain(part.error());
      ZKV_CHECK(ask_again(recovery::find_wrong_words(text.view())));
    }
  }

 private:
  static bool is_key(const SecretBytes& line) {
    return line.size() > 40 && line.view().find(' ') == std::string_view::npos;
  }

  static std::size_t count_words(std::string_view line) {
    std::size_t words = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      words += line[i] != ' ' && (i == 0 || line[i - 1] == ' ') ? std::size_t{1} : 0;
    }
    return words;
  }

  /// Words with one blank between them, whatever the paper has besides: tabs, commas, the row's number.
  static SecretBytes tidied(std::string_view line, std::size_t first) {
    constexpr std::string_view kBetween = " \t,.;";
    const std::string number = std::to_string(first + 1);
    SecretBuilder tidy;
    for (auto at = line.find_first_not_of(kBetween); at != std::string_view::npos;) {
      const auto end = std::min(line.find_first_of(kBetween, at), line.size());
      const auto word = line.substr(at, end - at);
      const bool is_number = tidy.size() == 0 && word == number;
      if (tidy.size() != 0) tidy.append(" ");
      if (!is_number) tidy.append(word);
      at = line.find_first_not_of(kBetween, end);
    }
    return tidy.take();
  }

  static void complain(const Error& error) {
    tell("  " + error.message() + (error.remedy().empty() ? "" : ": " + error.remedy()));
  }

  /// A line of words that can be in a kit; or, as the very first, a key.
  Result<SecretBytes> ask_for_row(std::size_t first) {
    const auto last = std::min(first + recovery::kRowWords, recovery::kPartWords);
    while (true) {
      ZKV_TRY(auto line,
              ask_for_line(wanted_ + ", words " + std::to_string(first + 1) + " to " + std::to_string(last),
                           echo_));
      if (first == 0 && is_key(line)) return line;
      line = tidied(line.view(), first);
      const auto checked = recovery::check_words(line.view(), first);
      const auto typed = count_words(line.view());
      const bool are_rows = typed % recovery::kRowWords == 0 && first + typed <= recovery::kPartWords;
      if (checked && are_rows) return line;
      complain(!checked ? checked.error()
                        : Error::invalid("these are words " + std::to_string(first + 1) + " to " +
                                         std::to_string(last) + ", and not " + std::to_string(typed) +
                                         ": type all of them, and no others, in one line"));
    }
  }

  void append(const SecretBytes& line, std::size_t at) {
    std::string_view rest = line.view();
    while (!rest.empty()) {
      const auto word = rest.substr(0, rest.find(' '));
      rest = rest.substr(std::min(word.size() + 1, rest.size()));
      if (word.empty()) continue;
      words_.insert(words_.begin() + static_cast<std::ptrdiff_t>(at++), SecretBytes::copy_of(word));
    }
  }

  /// Forgets what may be wrong and asks for it once more: some rows, or all.
  Result<> ask_again(const std::optional<recovery::WrongWords>& wrong) {
    if (!wrong || words_.size() != recovery::kPartWords) {
      words_.clear();
      return {};
    }
    for (auto row = wrong->first / recovery::kRowWords; row <= wrong->last / recovery::kRowWords; ++row) {
      const auto first = row * recovery::kRowWords;
      ZKV_TRY(const auto line, ask_for_row(first));
      const auto begin = words_.begin() + static_cast<std::ptrdiff_t>(first);
      words_.erase(begin, begin + recovery::kRowWords);
      append(line, first);
    }
    return {};
  }

  [[nodiscard]] SecretBytes joined() const {
    SecretBuilder text;
    for (const auto& word : words_) {
      if (text.size() != 0) text.append(" ");
      text.append(word.span());
    }
    return text.take();
  }

  std::string wanted_;
  Echo echo_;
  std::vector<SecretBytes> words_;
};

Result<SecretBytes> ask_for_kit(Echo echo) {
  recovery::KitReader reader;
  tell("Type the words of the recovery kit, four letters of each are enough; or its key in one line.");
  while (!reader.is_complete()) {
    std::string wanted = reader.wanted();
    wanted.front() = static_cast<char>(wanted.front() - 'a' + 'A');
    ZKV_TRY(auto text, PartPrompt(wanted, echo).ask());
    if (!recovery::looks_like_part(text.view()) && !reader.is_begun()) return text;
    const auto added = reader.add(text.view());
    if (!added) tell("  " + added.error().message() + ": " + added.error().remedy());
  }
  return reader.key();
}

Result<SecretBytes> content_of(Session& session, const std::string& file) {
  if (file == "-") return session.secrets.rest_of_stdin();
  return read_secret_file(file, kLongestKit);
}

SecretBytes first_line(const SecretBytes& text) {
  const auto line = text.view().substr(0, text.view().find('\n'));
  return SecretBytes::copy_of(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
}

}  // namespace

void add_kit_options(CLI::App& command, KitOptions& options) {
  command
      .add_option("--key-file", options.files,
                  "read the kit, a part of it or its key from FILE; may be given several times; '-' is "
                  "standard input")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_flag("--echo", options.echo, "show what is typed");
}

Result<SecretBytes> read_recovery_key(Session& session, const KitOptions& options) {
  if (options.files.empty()) return ask_for_kit(options.echo ? Echo::kOn : Echo::kOff);
  recovery::KitReader reader;
  for (const auto& file : options.files) {
    ZKV_TRY(const auto text, content_of(session, file));
    if (text.view().starts_with("%PDF")) {
      return Error::invalid(file + " is a PDF, which people read")
          .remedy(
              "type its words: zkv recovery test; or give the .txt, where one was made (--output kit.txt)");
    }
    const auto parts = recovery::parts_in(text.view());
    if (parts.empty() && options.files.size() == 1) return first_line(text);
    if (parts.empty()) return Error::invalid(file + " holds no part of a recovery kit");
    for (const auto& part : parts) {
      auto added = reader.add(part.view());
      if (!added) return std::move(added).error().context(file);
    }
  }
  return reader.key();
}

}  // namespace zkv::cli
