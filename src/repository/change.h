// Everything that writes a repository. Each change takes the lock, reads the file afresh, writes the whole
// new file beside it and renames it into place; the replaced generation stays as PATH.previous. Killed at any
// moment, it leaves the whole old or the whole new file.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/kdf.h"
#include "repository/repository.h"
#include "repository/version2.h"

namespace zkv::repository {

/// What a file says of itself without a key; to be believed only as far as nobody has changed it.
struct Description {
  Format format = Format::kSeed;
  std::optional<Outside> outside;  ///< version 2 only
};
/// Errors: as format_of().
Result<Description> describe(const std::filesystem::path& path);

/// A fresh 44-character key.
SecretBytes new_key();

/// Makes an empty repository that `key` (44 characters) opens: as the seed's key, or in a recovery slot. An
/// existing file: kExists, or with `replace` it stays as PATH.replaced-WORD, by a word of its own, which is
/// what is given; nothing where none was. So does the generation before one that is gone. Errors: kInvalid,
/// kExists, kIo.
Result<std::optional<std::filesystem::path>> create(const std::filesystem::path& path, Format format,
                                                    const SecretBytes& key, bool replace);

/// Lets `change` work on the volumes, and writes what comes out if it succeeds; `written` is then shown what
/// the file holds. Nobody else writes meanwhile. Errors: those of open() and of `change`; kUnsupported (the
/// seed's format cannot hold the outcome); kIo.
Result<> edit(const std::filesystem::path& path, const SecretBytes& key,
              const std::function<Result<>(VolumeKeys& keys)>& change,
              const std::function<void(const VolumeKeys& keys)>& written = {});

/// The same for a version 2 repository, by whatever opened it. Errors: also kUnsupported (the seed's format).
Result<> edit(const std::filesystem::path& path, const RepositoryKey& key,
              const std::function<Result<>(VolumeKeys& keys)>& change);

struct NewSlot {
  SlotType type = SlotType::kRecovery;
  std::string label;
  SecretBytes secret;       ///< the text that is to open the slot
  crypto::Argon2Cost cost;  ///< for a passphrase
};
/// Adds a slot and returns its id. Errors: those of open() and wrap_key(); kUnsupported (the seed's format
/// has no slots); kInvalid (there are kMostSlots already).
Result<std::uint32_t> add_slot(const std::filesystem::path& path, const SecretBytes& key,
                               const NewSlot& slot);

struct GatewaySlot {
  std::string label;
  GatewayId gateway{};
  SecretBytes shares;  ///< join_shares()
};
/// Adds a slot that opens with the shares of host and gateway together. Errors: as add_slot().
Result<std::uint32_t> add_gateway_slot(const std::filesystem::path& path, const SecretBytes& key,
                                       const GatewaySlot& slot);

/// Errors: those of open(); kNotFound; kInvalid when it is the last slot that a key can open, unless `force`.
Result<> remove_slot(const std::filesystem::path& path, const SecretBytes& key, std::uint32_t id, bool force);
/// Several at once, in one generation: all, or none. Never the last usable one. Errors: the same.
Result<> remove_slots(const std::filesystem::path& path, const SecretBytes& key,
                      const std::vector<std::uint32_t>& ids);

struct Converted {
  std::filesystem::path aside;  ///< where the old file is now
  SecretBytes new_key;          ///< to be shown once: the recovery key, or a seed key; may be empty
};
/// Rewrites the file in the other format, at `target` (its own place when equal to `path`); the old file
/// stays as PATH.seed or PATH.v2, or untouched when the target is another. To version 2: a recovery slot with
/// a new key, and a classic slot that the seed's key still opens. To the seed's: under `key` itself when it
/// is of 44 characters, else under a new one. Errors: those of open(); kExists (target or aside); kInvalid
/// (it has the format already); kUnsupported (something would be lost); kIo.
Result<Converted> convert(const std::filesystem::path& path, const SecretBytes& key, Format format,
                          const std::filesystem::path& target);

}  // namespace zkv::repository
