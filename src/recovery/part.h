// One part of a recovery kit: 33 words that anybody can read, type and check. A share of SLIP-0039 in one
// group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::recovery {

/// Which of SLIP-0039's shares these are; the same for all parts of a kit.
struct KitMark {
  std::uint16_t number = 0;    ///< 15 random bits, by which kits are told apart
  bool is_extendable = false;  ///< ours are not; parts that others made may be
  std::uint8_t exponent = 0;   ///< of the work that a passphrase would cost
  std::uint8_t threshold = 1;  ///< so many parts open, 1 to 16

  bool operator==(const KitMark&) const = default;
};

struct Part {
  KitMark mark;
  std::uint8_t index = 0;  ///< 0 to 15; people count from 1
  SecretBytes value;
};

/// The words of a key of 32 bytes.
inline constexpr std::size_t kPartWords = 33;

/// Words with one blank between them.
SecretBytes write_part(const Part& part);

/// `text` holds words with blanks between them; four letters of each are enough. A mistake is found, and one
/// alone is named by its place: "word 17". What the right word is never comes from us: it must be read again.
/// Errors: kInvalid; kUnsupported (a share of SLIP-0039 in several groups).
Result<Part> read_part(std::string_view text);

/// Where the one mistake is that read_part() names: the first and the last of its words, counted from 0.
struct WrongWords {
  std::size_t first = 0;
  std::size_t last = 0;
};
/// Nothing when there is none, or more than one.
std::optional<WrongWords> find_wrong_words(std::string_view text);

/// Whether all of `text` are words that a part can have, the first of them its word `first`, counted from 0.
/// Errors: those of read_part() for words that are not.
Result<> check_words(std::string_view text, std::size_t first);

/// Whether `text` is meant as a part, right or not: twenty words or more, most of them on the list.
bool looks_like_part(std::string_view text);

}  // namespace zkv::recovery
