// Reading keys by each of their roads.
#include "key_input.h"

#include <cstdio>
#include <functional>

#include "base/encoding.h"
#include "base/file.h"
#include "recovery/kit_reader.h"
#include "recovery/page.h"
#include "repository/generation.h"
#include "terminal.h"

namespace zkv::cli {

namespace {

constexpr std::size_t kLongestKeyFile = 64 * 1024;
constexpr std::size_t kLongestRawKey = 8 * 1024 * 1024;  // of a key file of libcryptsetup

void warn_of_argv() {
  static_cast<void>(
      std::fputs("zkv: warning: other users of this machine can see a key on the command line; "
                 "--key-file FILE, '-' for standard input, or the prompt keep it to yourself\n",
                 stderr));
}

SecretBytes without_line_end(SecretBytes text) {
  if (text.view().ends_with('\n')) text.truncate(text.size() - 1);
  if (text.view().ends_with('\r')) text.truncate(text.size() - 1);
  return text;
}

using NextLine = std::function<Result<SecretBytes>(const std::string& wanted)>;

/// `line` itself; or, where it is a part of a recovery kit, the key of that and of those that `next` gives.
Result<SecretBytes> key_or_kit(SecretBytes line, const NextLine& next) {
  if (!recovery::looks_like_part(line.view())) return line;
  recovery::KitReader reader;
  ZKV_CHECK(reader.add(line.view()));
  while (!reader.is_complete()) {
    ZKV_TRY(const auto more, next(reader.wanted()));
    ZKV_CHECK(reader.add(more.view()));
  }
  return reader.key();
}

/// A kit's page, or those of several parts, as `recovery create` wrote them.
Result<SecretBytes> key_of_pages(const SecretBytes& pages) {
  recovery::KitReader reader;
  for (const auto& part : recovery::parts_in(pages.view())) ZKV_CHECK(reader.add(part.view()));
  if (reader.is_begun()) return reader.key();
  return Error::invalid("standard input begins as the page of a recovery kit, and holds no words of one");
}

/// A key, the words of a kit's parts, one part in a line, or its pages.
Result<SecretBytes> key_from_stdin(GivenSecrets& secrets) {
  ZKV_TRY(auto line, secrets.line_from_stdin());
  if (line.view().starts_with(recovery::kPageTitle)) {
    ZKV_TRY(const auto rest, secrets.rest_of_stdin());
    return key_of_pages(rest);
  }
  return key_or_kit(std::move(line), [&](const auto&) { return secrets.line_from_stdin(); });
}

bool names_a_file(const SecretBytes& given) {
  std::error_code failed;
  return given.view().starts_with('/') && std::filesystem::is_regular_file(given.view(), failed);
}

Result<SecretBytes> line_of_file(const std::filesystem::path& file) {
  ZKV_TRY(auto text, read_secret_file(file, kLongestKeyFile));
  auto line = without_line_end(std::move(text));
  if (line.empty()) return Error::invalid(file.string() + " is empty, where a key should be");
  return line;
}

Result<SecretBytes> no_more_parts(const std::string& wanted) {
  return Error::invalid("one argument holds one part of a kit, and " + wanted + " is needed")
      .remedy("give them one a line by standard input ('-k -'), or in a file");
}

Result<SecretBytes> decode(SecretBytes text, KeyEncoding encoding) {
  switch (encoding) {
    case KeyEncoding::kHex:
      return from_hex_secret(text.view());
    case KeyEncoding::kBase64: {
      auto key = from_base64_secret(text.view(), Base64::kStandard);
      return key ? std::move(key) : from_base64_secret(text.view(), Base64::kUrl);
    }
    default:
      return text;
  }
}

Result<SecretBytes> raw_volume_key(Session& session, const std::string& ticket,
                                   const std::filesystem::path& file) {
  if (ticket == "-" || file == "-") return session.secrets.rest_of_stdin();
  if (!file.empty()) return read_secret_file(file, kLongestRawKey);
  return Error::invalid("a raw key comes from a file, or from standard input as '-'");
}

}  // namespace

void add_key_options(CLI::App& command, KeyOptions& options) {
  auto* key = command
                  .add_option("-k,--repository-key,--repository_key", options.key,
                              "the repository's key; '-' reads it from standard input")
                  ->type_name(kSecretType);
  command.add_option("--key-file", options.key_file, "read the repository's key from FILE")
      ->type_name("FILE")
      ->excludes(key);
}

Result<SecretBytes> read_repository_key(Session& session, const KeyOptions& options, bool quiet) {
  if (options.key == "-" || options.key_file == "-") {
    return key_from_stdin(session.secrets);
  }
  if (!options.key_file.empty()) return read_key_file(options.key_file);
  if (auto given = session.secrets.redeem(options.key); given) {
    if (names_a_file(*given)) {
      return Error::invalid("-k takes the key itself, and here is a file's name")
          .remedy("--key-file FILE reads it from one, '-k -' from standard input");
    }
    if (!quiet) warn_of_argv();
    return key_or_kit(std::move(*given), no_more_parts);
  }
  return ask_for_key("Key of the repository " + session.repository.string());
}

Result<SecretBytes> read_key_to_change(Session& session, const KeyOptions& options) {
  if (const auto older = repository::rollback_warning(session.repository)) {
    static_cast<void>(std::fprintf(
        stderr,
        "zkv: warning: %s; once it is changed, it counts as the newest, and keys and "
        "slots that came later are not in it; %s.previous is kept as %s.replaced-…, if it is newer\n",
        older->c_str(), session.repository.c_str(), session.repository.c_str()));
  }
  return read_repository_key(session, options);
}

Result<SecretBytes> read_key_file(const std::filesystem::path& file) {
  ZKV_TRY(auto keys, read_key_files({file}));
  if (keys.size() != 1)
    return Error::invalid(file.string() + " holds the parts of more kits than one")
        .remedy("only parts of one kit open together: leave those with the same number in it");
  return std::move(keys.front().key);
}

Result<std::vector<KeyOfFile>> read_key_files(const std::vector<std::filesystem::path>& files) {
  std::vector<KeyOfFile> keys;
  recovery::KitReader reader;
  std::filesystem::path of_kit;
  const auto end_kit = [&]() -> Result<> {
    if (!reader.is_begun()) return {};
    ZKV_TRY(auto key, reader.key());
    keys.push_back({std::move(key), of_kit});
    reader = {};
    return {};
  };
  for (const auto& file : files) {
    ZKV_TRY(auto line, line_of_file(file));
    const auto parts = recovery::parts_in(line.view());
    if (parts.empty()) keys.push_back({std::move(line), file});
    for (const auto& part : parts) {
      if (reader.is_complete() && reader.is_of_another(part.view())) ZKV_CHECK(end_kit());
      auto added = reader.add(part.view());
      if (!added) return std::move(added).error().context(file.string());
      of_kit = file;
    }
  }
  ZKV_CHECK(end_kit());
  return keys;
}

Result<SecretBytes> ask_for_key(const std::string& question) {
  ZKV_TRY(auto line, ask_for_secret(question));
  return key_or_kit(std::move(line),
                    [](const auto& wanted) { return ask_for_secret("The words of " + wanted); });
}

Result<SecretBytes> read_new_secret(Session& session, const std::string& ticket,
                                    const std::filesystem::path& file, const std::string& question) {
  if (ticket == "-" || file == "-") return session.secrets.line_from_stdin();
  if (!file.empty()) return line_of_file(file);
  if (auto given = session.secrets.redeem(ticket); given) {
    warn_of_argv();
    return std::move(*given);
  }
  return ask_for_new_secret(question);
}

void add_encoding_option(CLI::App& command, std::string& word) {
  command.add_option("--encoding", word, "how the key is written (default: text)")
      ->check(CLI::IsMember({"text", "raw", "hex", "base64"}))
      ->type_name("");
}

KeyEncoding encoding_of(const std::string& word) {
  if (word == "raw") return KeyEncoding::kRaw;
  if (word == "hex") return KeyEncoding::kHex;
  return word == "base64" ? KeyEncoding::kBase64 : KeyEncoding::kText;
}

Result<SecretBytes> read_volume_key(Session& session, const std::string& ticket,
                                    const std::filesystem::path& file, const std::string& volume,
                                    KeyEncoding encoding) {
  if (encoding == KeyEncoding::kRaw) return raw_volume_key(session, ticket, file);
  ZKV_TRY(auto text, read_new_secret(session, ticket, file, "Key of " + volume));
  auto key = decode(std::move(text), encoding);
  if (!key) return std::move(key).error().context("the key of " + volume);
  return key;
}

}  // namespace zkv::cli
