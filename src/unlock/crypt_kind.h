// What one kind of dm-crypt volume has of its own; all else is common to them.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "repository/volume_keys.h"
#include "unlock/crypt.h"
#include "unlock/crypt_wishes.h"
#include "unlock/unlocker.h"

namespace zkv::unlock {

/// How libcryptsetup finds out what the device is.
enum class CryptFormat { kLuks, kPlain, kBitlk, kTcrypt, kFvault2 };

struct CryptKind {
  repository::VolumeKind kind;
  CryptFormat format;
  std::string_view mapping_prefix;  ///< of the device mapper's UUID
  std::string_view words;           ///< of its options that are its own, for people
  std::string_view wrong_key;       ///< what a wrong key is told as
  /// Takes one word of the options. False: it is none of this kind's own. Errors: kInvalid (a value that it
  /// cannot have).
  Result<bool> (*take)(std::string_view word, const std::optional<std::string_view>& value,
                       CryptWishes& wishes);
  /// Whether the words go together. Errors: kInvalid.
  Result<> (*check)(const CryptWishes& wishes);
};

const CryptKind& luks_kind();
const CryptKind& plain_kind();
const CryptKind& bitlk_kind();
const CryptKind& tcrypt_kind();
const CryptKind& fvault2_kind();
/// Null for a kind that is none of dm-crypt's.
const CryptKind* crypt_kind_of(repository::VolumeKind kind);
/// The same by Unlocker::name().
const CryptKind* crypt_kind_named(std::string_view name);

std::unique_ptr<Unlocker> make_crypt_unlocker(const CryptKind& kind, CryptOptions options);

}  // namespace zkv::unlock
