// One repository file of either format, opened by a key: what commands and the boot work with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "repository/slot.h"
#include "repository/volume_keys.h"

namespace zkv::repository {

enum class Format {
  kSeed,      ///< a Fernet token around a JSON object
  kVersion2,  ///< docs/repository-format.md
};

/// $ZKV_REPOSITORY; else /var/lib/zkv/repository if it exists, or did and there is no other; else
/// ~/.zkv-repository.
std::filesystem::path default_path();

/// The repository that default_path() gives now, and would give no more with one at `path`.
std::optional<std::filesystem::path> hidden_by(const std::filesystem::path& path);

/// What can be said of a file without any key. Errors: kNotFound, kCorrupt, kUnsupported (a newer format),
/// kIo.
Result<Format> format_of(const std::filesystem::path& path);

/// What opens a repository: the text that a person or a vault gives, or the shares of one gateway's slot.
struct RepositoryKey {
  SecretBytes secret;                ///< text; or join_shares()
  std::optional<GatewayId> gateway;  ///< whose slot the shares open
};

struct Opened {
  Format format = Format::kSeed;
  VolumeKeys keys;
  /// Set when the file is older than one that was seen here before (an older generation put back).
  std::optional<std::string> warning;
};

/// Reads and decrypts the whole file. A key's text is the seed's 44-character
/// key, a recovery key, the classic slot's key, or a passphrase; each slot that fits its form is tried. White
/// space around a 44-character key is no part of it.
/// Errors: kNotFound, kWrongKey, kCorrupt, kUnsupported, kUnavailable (no memory for a passphrase), kIo.
Result<Opened> open(const std::filesystem::path& path, const RepositoryKey& key);
Result<Opened> open(const std::filesystem::path& path, const SecretBytes& text);

/// What a key opened, without a trace: nothing is written, not even what open() remembers.
struct Tried {
  Slot slot;  ///< the one that it opened
  std::size_t volumes = 0;
  std::optional<std::string> warning;  ///< as Opened has it
};
/// Errors: as open(); kUnsupported (the seed's format, which has no slots).
Result<Tried> try_key(const std::filesystem::path& path, const SecretBytes& text);

}  // namespace zkv::repository
