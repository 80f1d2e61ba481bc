// From the words that people have back to a recovery key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "recovery/part.h"

namespace zkv::recovery {

/// Takes the parts of one kit, one after the other.
class KitReader {
 public:
  /// Errors: those of read_part() and check_joins(); what was taken before stays.
  Result<> add(std::string_view words);
  [[nodiscard]] bool is_begun() const { return !parts_.empty(); }
  /// Whether `words` are a part of another kit than what was taken.
  [[nodiscard]] bool is_of_another(std::string_view words) const;
  /// Whether there are enough parts.
  [[nodiscard]] bool is_complete() const;
  /// What comes next, for people: "a part", "one more part of kit 4711".
  [[nodiscard]] std::string wanted() const;
  /// The key of the recovery slot, 44 characters. Errors: those of join(); kInvalid (no kit of zkv).
  [[nodiscard]] Result<SecretBytes> key() const;

 private:
  std::vector<Part> parts_;
};

/// The parts in a text: lines that are a part each, or rows of words that begin with the number of their
/// first one, as a printed kit has them; all else is passed over. None where there are none.
std::vector<SecretBytes> parts_in(std::string_view text);

/// Words in one row of a printed kit.
inline constexpr std::size_t kRowWords = 3;

}  // namespace zkv::recovery
