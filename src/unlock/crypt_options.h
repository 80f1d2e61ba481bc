// What a dm-crypt volume's settings ask for, checked before anything is tried.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "unlock/crypt_kind.h"

namespace zkv::unlock {

/// Words as crypttab(5) has them, with commas between. Errors: kInvalid (a word that the kind does not know,
/// a value that it cannot have, or words that do not go together).
Result<CryptWishes> parse_crypt_options(const CryptKind& kind, std::string_view options);

/// Those of a crypttab line's options that the kind knows, with commas between; the others are for systemd,
/// or for Debian's scripts.
std::string known_crypt_options(const CryptKind& kind, const std::vector<std::string>& options);

/// A whole number from `least` to `most`. Errors: kInvalid, with `word` named.
Result<std::uint64_t> number_option(std::string_view word, std::string_view value, std::uint64_t least,
                                    std::uint64_t most);
/// Errors: kInvalid (not a whole path), with `word` named.
Result<> check_path_option(std::string_view word, std::string_view value);

/// The part of the stored `key` that the volume's key is. Errors: kInvalid (it is too short).
Result<std::span<const std::uint8_t>> key_part(std::span<const std::uint8_t> key, const CryptWishes& wishes);

/// Whether a mapping can have this name: docs/repository-format.md, "Body". Errors: kInvalid.
Result<> check_mapping_name(std::string_view name);

}  // namespace zkv::unlock
