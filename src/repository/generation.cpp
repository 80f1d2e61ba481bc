// PATH.generation holds one line: the repository's id in hexadecimal, the generation in decimal, and SHA-256
// of the file in hexadecimal, which earlier versions left out; a space between.
#include "repository/generation.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/file.h"
#include "repository/store.h"
#include "repository/version2.h"

namespace zkv::repository {

namespace {

constexpr std::size_t kIdText = 2 * sizeof(RepositoryId);
constexpr std::size_t kLongestNote = 200;

std::optional<SeenGeneration> parse(std::string_view line) {
  SeenGeneration seen;
  const auto id = from_hex(line.substr(0, kIdText));
  if (!id || id->size() != seen.id.size() || !line.substr(kIdText).starts_with(' ')) return std::nullopt;
  std::copy(id->begin(), id->end(), seen.id.begin());
  const std::string_view digits = line.substr(kIdText + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seen.generation);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(line.data() + line.size() - end));
  if (rest == "\n") return seen;
  if (!rest.starts_with(' ') || !rest.ends_with('\n')) return std::nullopt;
  const auto digest = from_hex(rest.substr(1, rest.size() - 2));
  if (!digest || digest->size() != crypto::Sha256().size()) return std::nullopt;
  std::copy(digest->begin(), digest->end(), seen.digest.emplace().begin());
  return seen;
}

}  // namespace

std::filesystem::path generation_note(const std::filesystem::path& repository) {
  return repository.string() + ".generation";
}

std::optional<SeenGeneration> seen_generation(const std::filesystem::path& repository) {
  const auto bytes = read_file(generation_note(repository), kLongestNote);
  if (!bytes || bytes->empty() || bytes->back() != '\n') return std::nullopt;
  return parse({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

std::optional<std::string> rollback_warning(const std::optional<SeenGeneration>& seen, const Header& header) {
  if (!seen || seen->id != header.id || header.generation >= seen->generation) return std::nullopt;
  return "this is generation " + std::to_string(header.generation) + " of the repository, written " +
         zkv::to_text(header.written) + "; generation " + std::to_string(seen->generation) +
         " was seen here before, so somebody has put an older file back";
}

std::optional<std::string> damage_warning(const std::filesystem::path& repository) {
  const auto seen = seen_generation(repository);
  const auto file = read_file(repository, kLargestFile);
  const auto outside = file ? read_outside(*file) : Result<Outside>(tl::unexpected(file.error()));
  const bool is_same = seen && seen->digest && outside && outside->header.id == seen->id &&
                       outside->header.generation == seen->generation;
  if (!is_same || crypto::sha256(*file) == *seen->digest) return std::nullopt;
  return "it is damaged, or somebody changed it: it is not as it was when it opened or was written here, "
         "though "
         "it says that it is the same generation, " +
         std::to_string(seen->generation);
}

void remember_generation(const std::filesystem::path& repository, const std::optional<SeenGeneration>& seen,
                         const Header& header, std::span<const std::uint8_t> file) {
  const auto digest = crypto::sha256(file);
  if (seen && seen->id == header.id) {
    const bool is_remembered = seen->generation == header.generation && seen->digest == digest;
    if (seen->generation > header.generation || is_remembered) return;
  }
  const std::string line =
      to_hex(header.id) + " " + std::to_string(header.generation) + " " + to_hex(digest) + "\n";
  // A failure costs one later warning, and must not cost the boot.
  (void)replace_file(generation_note(repository), bytes_of(line));
}

}  // namespace zkv::repository
