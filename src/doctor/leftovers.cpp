// A bounded walk through the places where people put such files.
#include "doctor/leftovers.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/encoding.h"
#include "base/file.h"
#include "doctor/gather_parts.h"
#include "recovery/kit_reader.h"
#include "repository/change.h"
#include "repository/header.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 6> kWhere{"/root",        "/etc",         "/boot",
                                                 "/var/lib/zkv", "/var/backups", "/home"};
constexpr int kDeepest = 4;
constexpr std::size_t kMostFiles = 5'000;  // below one of them
constexpr std::size_t kKeyText = 44;

std::string_view without_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_key(std::string_view text) {
  const auto line = without_line_end(text);
  if (line.size() != kKeyText) return false;
  const auto bytes = from_base64_secret(line, Base64::kUrl);
  return bytes && bytes->size() == repository::kRepositoryKeySize;
}

/// The lines of text in a PDF as the recovery room makes it.
SecretBytes text_of_pdf(std::string_view pdf) {
  constexpr std::string_view kBegin = " Td (";
  constexpr std::string_view kEnd = ") Tj";
  SecretBuilder text;
  for (auto begin = pdf.find(kBegin); begin != std::string_view::npos; begin = pdf.find(kBegin, begin)) {
    begin += kBegin.size();
    const auto end = pdf.find(kEnd, begin);
    if (end == std::string_view::npos) break;
    text.append(pdf.substr(begin, end - begin));
    text.append("\n");
  }
  return text.take();
}

std::vector<SecretBytes> parts_in(std::string_view text) {
  if (!text.starts_with("%PDF-")) return recovery::parts_in(text);
  const auto lines = text_of_pdf(text);
  return recovery::parts_in(lines.view());
}

/// Words with a mistake count as a kit: a person finds mistakes.
bool are_too_few(const std::vector<SecretBytes>& parts) {
  recovery::KitReader reader;
  for (const auto& part : parts) {
    if (!recovery::read_part(part.view())) return false;
    static_cast<void>(reader.add(part.view()));  // Twice the same is once.
  }
  return !reader.is_complete();
}

/// Nothing where it cannot be told.
std::optional<repository::RepositoryId> id_of(const fs::path& file) {
  const auto description = repository::describe(file);
  if (!description || !description->outside) return std::nullopt;
  return description->outside->header.id;
}

/// What belongs beside the repository.
bool is_of_repository(const std::string& path, const std::string& repository) {
  return path.starts_with(repository) &&
         (path.size() == repository.size() || path.substr(repository.size()).starts_with(".enrolments") ||
          path.substr(repository.size()) == ".previous");
}

class Walk {
 public:
  Walk(const System& system, Facts& facts)
      : system_(system), facts_(facts), own_id_(id_of(system.place_of(facts.repository))) {}

  void through(const std::string& directory, int depth) {
    for (const auto& name : system_.names_in(directory)) {
      if (++seen_ > kMostFiles) return;
      const std::string path = fs::path(directory) / name;
      std::error_code failed;
      const auto status = fs::symlink_status(system_.place_of(directory) / name, failed);
      const bool is_hidden = name.starts_with('.');  // as a rule a program's own: caches and the like
      if (fs::is_directory(status) && depth < kDeepest && !is_hidden) through(path, depth + 1);
      if (fs::is_regular_file(status) && !is_of_repository(path, facts_.repository)) look_at(path);
    }
  }

  [[nodiscard]] bool was_cut_short() const { return seen_ > kMostFiles; }

 private:
  void look_at(const std::string& path) {
    const auto place = system_.place_of(path);
    std::error_code failed;
    const auto size = fs::file_size(place, failed);
    if (failed || size > kLargestKeyFile) return;
    const auto bytes = read_secret_file(place, kLargestKeyFile);
    if (!bytes) return;
    auto kind = leftover_in(*bytes);
    if (!kind) return;
    const bool is_copy = own_id_ && id_of(place) == own_id_;
    if (*kind == Leftover::Kind::kRepository && !is_copy) kind = Leftover::Kind::kOtherRepository;
    facts_.leftovers.push_back({path, *kind});
  }

  const System& system_;
  Facts& facts_;
  std::optional<repository::RepositoryId> own_id_;
  std::size_t seen_ = 0;
};

}  // namespace

std::optional<Leftover::Kind> leftover_in(const SecretBytes& bytes) {
  if (std::ranges::equal(bytes.span().first(std::min(bytes.size(), repository::kMagic.size())),
                         repository::kMagic)) {
    return Leftover::Kind::kRepository;
  }
  if (is_key(bytes.view())) return Leftover::Kind::kKey;
  const auto parts = parts_in(bytes.view());
  if (parts.empty()) return std::nullopt;
  return are_too_few(parts) ? Leftover::Kind::kSomeParts : Leftover::Kind::kWords;
}

void gather_leftovers(const System& system, Facts& facts) {
  for (const auto where : kWhere) {
    Walk walk(system, facts);
    walk.through(std::string(where), 0);
    if (!walk.was_cut_short()) continue;
    facts.unseen.push_back("keys that lie about in " + std::string(where) +
                           ": there are too many files to look at them all");
  }
}

}  // namespace zkv::doctor
