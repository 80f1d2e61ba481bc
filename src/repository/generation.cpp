// PATH.generation holds one line: the repository's id in hexadecimal, a space, the generation in decimal.
#include "repository/generation.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/file.h"

namespace zkv::repository {

namespace {

constexpr std::size_t kIdText = 2 * sizeof(RepositoryId);

std::optional<SeenGeneration> parse(std::string_view line) {
  SeenGeneration seen;
  const auto id = from_hex(line.substr(0, kIdText));
  if (!id || id->size() != seen.id.size() || !line.substr(kIdText).starts_with(' ')) return std::nullopt;
  std::copy(id->begin(), id->end(), seen.id.begin());
  const std::string_view digits = line.substr(kIdText + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seen.generation);
  if (error != std::errc() || std::string_view(end, 1) != "\n") return std::nullopt;
  return seen;
}

}  // namespace

std::filesystem::path generation_note(const std::filesystem::path& repository) {
  return repository.string() + ".generation";
}

std::optional<SeenGeneration> seen_generation(const std::filesystem::path& repository) {
  const auto bytes = read_file(generation_note(repository), 100);
  if (!bytes || bytes->empty() || bytes->back() != '\n') return std::nullopt;
  return parse({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

std::optional<std::string> rollback_warning(const std::optional<SeenGeneration>& seen, const Header& header) {
  if (!seen || seen->id != header.id || header.generation >= seen->generation) return std::nullopt;
  return "this is generation " + std::to_string(header.generation) + " of the repository, written " +
         zkv::to_text(header.written) + "; generation " + std::to_string(seen->generation) +
         " was seen here before, so somebody has put an older file back";
}

void remember_generation(const std::filesystem::path& repository, const std::optional<SeenGeneration>& seen,
                         const Header& header) {
  if (seen && seen->id == header.id && seen->generation >= header.generation) return;
  const std::string line = to_hex(header.id) + " " + std::to_string(header.generation) + "\n";
  // A failure costs one later warning, and must not cost the boot.
  (void)replace_file(generation_note(repository), bytes_of(line));
}

}  // namespace zkv::repository
