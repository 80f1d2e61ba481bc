// Where keys come from: argv (as the seed; with a warning), stdin, a file, or a prompt.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "commands.h"

namespace zkv::cli {

/// The words by which a command takes the repository's key.
struct KeyOptions {
  std::string key;                 ///< -k: a ticket of GivenSecrets, or "-"
  std::filesystem::path key_file;  ///< --key-file
  [[nodiscard]] bool given() const { return !key.empty() || !key_file.empty(); }
};

/// Adds -k, --repository-key, --repository_key and --key-file.
void add_key_options(CLI::App& command, KeyOptions& options);

/// The repository's key as `options` say, else by prompt. Where it is the words of a recovery kit, it is the
/// key that they hold: all parts that are needed, one a line, or a file that is the text of the kit. With
/// `quiet` there is no warning about argv. Errors: kInvalid, kNotFound, kIo.
Result<SecretBytes> read_repository_key(Session& session, const KeyOptions& options, bool quiet = false);

/// The same for a command that writes: where the repository is older than one that was seen, that is told
/// first.
Result<SecretBytes> read_key_to_change(Session& session, const KeyOptions& options);

/// The same from a file, or by a prompt. Errors: as read_repository_key().
Result<SecretBytes> read_key_file(const std::filesystem::path& file);

struct KeyOfFile {
  SecretBytes key;
  std::filesystem::path file;  ///< of a kit's parts the last one's
};
/// The keys of several files, in their order; parts of one kit may lie in files of their own, one after the
/// other. Errors: as read_repository_key().
Result<std::vector<KeyOfFile>> read_key_files(const std::vector<std::filesystem::path>& files);
Result<SecretBytes> ask_for_key(const std::string& question);

/// A secret by `ticket` (argv, or "-" for the next line of stdin), by `file` (without one newline at its
/// end), or by the prompt `question`, asked twice. Errors: kInvalid, kNotFound, kIo.
Result<SecretBytes> read_new_secret(Session& session, const std::string& ticket,
                                    const std::filesystem::path& file, const std::string& question);

/// How the words of a volume's key stand for its bytes.
enum class KeyEncoding { kText, kRaw, kHex, kBase64 };

/// Adds --encoding.
void add_encoding_option(CLI::App& command, std::string& word);
/// `word` is one that add_encoding_option lets through.
KeyEncoding encoding_of(const std::string& word);

/// The key of a volume: as read_new_secret, but with kRaw a file or stdin is taken to its last byte.
/// Errors: also kInvalid when the text is not of the encoding.
Result<SecretBytes> read_volume_key(Session& session, const std::string& ticket,
                                    const std::filesystem::path& file, const std::string& volume,
                                    KeyEncoding encoding);

}  // namespace zkv::cli
