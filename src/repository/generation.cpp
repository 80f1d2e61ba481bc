// PATH.generation holds one line: the repository's id in hexadecimal, the generation in decimal, SHA-256 of
// the file in hexadecimal, and the highest number that a slot ever had in decimal; a space between. Earlier
// versions left out the last one or two.
#include "repository/generation.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/file.h"
#include "repository/store.h"
#include "repository/version2.h"

namespace zkv::repository {

namespace {

constexpr std::size_t kLongestNote = 200;
/// What comes after them must not begin at 0 again. No repository gets there.
constexpr std::uint64_t kMostGenerations = std::uint64_t{1} << 48U;
constexpr std::uint32_t kHighestSlot = std::uint32_t{1} << 24U;

/// Up to the next space, which goes with it.
std::string_view take_word(std::string_view& line) {
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

template <class Number>
bool read_number(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

bool read_hex(std::string_view word, std::span<std::uint8_t> bytes) {
  const auto read = from_hex(word);
  if (!read || read->size() != bytes.size()) return false;
  std::ranges::copy(*read, bytes.begin());
  return true;
}

/// `line` has no end of line.
std::optional<SeenGeneration> parse(std::string_view line) {
  SeenGeneration seen;
  if (!read_hex(take_word(line), seen.id) || !read_number(take_word(line), seen.generation)) {
    return std::nullopt;
  }
  if (!line.empty() && !read_hex(take_word(line), seen.digest.emplace())) return std::nullopt;
  if (!line.empty() && !read_number(take_word(line), seen.highest_slot)) return std::nullopt;
  const bool is_sound =
      line.empty() && seen.generation <= kMostGenerations && seen.highest_slot <= kHighestSlot;
  return is_sound ? std::optional(seen) : std::nullopt;
}

/// What the bytes of a repository say of themselves; nothing where they cannot be read.
std::optional<Outside> outside_of(const Result<Bytes>& file) {
  if (!file) return std::nullopt;
  auto outside = read_outside(*file);
  return outside ? std::optional(std::move(*outside)) : std::nullopt;
}

}  // namespace

std::filesystem::path generation_note(const std::filesystem::path& repository) {
  return repository.string() + ".generation";
}

std::optional<SeenGeneration> seen_generation(const std::filesystem::path& repository) {
  const auto bytes = read_file(generation_note(real_path(repository)), kLongestNote);
  if (!bytes || bytes->empty() || bytes->back() != '\n') return std::nullopt;
  return parse({reinterpret_cast<const char*>(bytes->data()), bytes->size() - 1});
}

std::optional<std::string> rollback_warning(const std::optional<SeenGeneration>& seen, const Header& header) {
  if (!seen || seen->id != header.id || header.generation >= seen->generation) return std::nullopt;
  return "this is generation " + std::to_string(header.generation) + " of the repository, written " +
         zkv::to_text(header.written) + "; generation " + std::to_string(seen->generation) +
         " was seen here before, so somebody has put an older file back";
}

std::optional<std::string> rollback_warning(const std::filesystem::path& repository) {
  const auto seen = seen_generation(repository);
  if (!seen) return std::nullopt;
  const auto outside = outside_of(read_file(repository, kLargestFile));
  return outside ? rollback_warning(seen, outside->header) : std::nullopt;
}

std::optional<std::string> damage_warning(const std::filesystem::path& repository) {
  const auto seen = seen_generation(repository);
  const auto file = read_file(repository, kLargestFile);
  const auto outside = outside_of(file);
  const bool is_same = seen && seen->digest && outside && outside->header.id == seen->id &&
                       outside->header.generation == seen->generation;
  if (!is_same || crypto::sha256(*file) == *seen->digest) return std::nullopt;
  return "it is damaged, or somebody changed it: it is not as it was when it opened or was written here, "
         "though "
         "it says that it is the same generation, " +
         std::to_string(seen->generation);
}

void remember_generation(const std::filesystem::path& repository, const std::optional<SeenGeneration>& seen,
                         const Outside& outside, std::span<const std::uint8_t> file) {
  const auto& header = outside.header;
  const auto digest = crypto::sha256(file);
  auto highest = highest_slot(outside.slots);
  if (seen && seen->id == header.id) {
    highest = std::max(highest, seen->highest_slot);
    const bool is_remembered =
        seen->generation == header.generation && seen->digest == digest && seen->highest_slot == highest;
    if (seen->generation > header.generation || is_remembered) return;
  }
  const std::string line = to_hex(header.id) + " " + std::to_string(header.generation) + " " +
                           to_hex(digest) + " " + std::to_string(highest) + "\n";
  // A failure costs one later warning, and must not cost the boot.
  ReplaceOptions options;
  options.follows_link = false;
  (void)replace_file(generation_note(repository), bytes_of(line), options);
}

}  // namespace zkv::repository
