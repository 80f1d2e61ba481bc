// Collecting parts, and finding them in the text of a kit.
#include "recovery/kit_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/fernet.h"
#include "recovery/split.h"

namespace zkv::recovery {

namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trim(std::string_view line) {
  const auto first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) + 1 - first);
}

struct Row {
  std::size_t first = 0;  ///< the number at its beginning
  std::string_view words;
};

/// A line such as "16  academic  acid  acne".
std::optional<Row> read_row(std::string_view line) {
  Row row;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), row.first);
  if (error != std::errc()) return std::nullopt;
  row.words = line.substr(static_cast<std::size_t>(end - line.data()));
  const bool is_separate =
      row.words.starts_with(' ') || row.words.starts_with('\t') || row.words.starts_with('.');
  if (!is_separate) return std::nullopt;
  row.words = trim(row.words.substr(1));
  if (row.words.empty()) return std::nullopt;
  return row;
}

std::size_t count_words(std::string_view text) {
  std::size_t words = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_letter = kBlank.find(text[i]) == std::string_view::npos;
    const bool begins = i == 0 || kBlank.find(text[i - 1]) != std::string_view::npos;
    words += is_letter && begins ? 1 : 0;
  }
  return words;
}

/// Puts rows together whose numbers follow each other.
class RowCollector {
 public:
  explicit RowCollector(std::vector<SecretBytes>& parts) : parts_(parts) {}

  void take(const Row& row) {
    if (row.first != count_ + 1) finish();
    if (row.first != count_ + 1) return;
    words_.append(row.words);
    words_.append(" ");
    count_ += count_words(row.words);
    if (count_ >= kPartWords) finish();
  }

  void finish() {
    auto words = words_.take();
    if (looks_like_part(words.view())) parts_.push_back(std::move(words));
    count_ = 0;
  }

 private:
  std::vector<SecretBytes>& parts_;
  SecretBuilder words_;
  std::size_t count_ = 0;
};

/// Parts whose rows somebody typed without the numbers, however they broke the lines.
std::vector<SecretBytes> parts_without_numbers(std::string_view text) {
  std::vector<SecretBytes> parts;
  SecretBuilder words;
  std::size_t count = 0;
  const auto finish = [&] {
    auto part = words.take();
    if (looks_like_part(part.view())) parts.push_back(std::move(part));
    count = 0;
  };
  constexpr std::string_view kBetween = " \t\r\n";
  for (auto at = text.find_first_not_of(kBetween); at != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(kBetween, at), text.size());
    words.append(text.substr(at, end - at));
    words.append(" ");
    if (++count == kPartWords) finish();
    at = text.find_first_not_of(kBetween, end);
  }
  finish();
  return parts;
}

}  // namespace

Result<> KitReader::add(std::string_view words) {
  ZKV_TRY(auto part, read_part(words));
  ZKV_CHECK(check_joins(parts_, part));
  parts_.push_back(std::move(part));
  return {};
}

bool KitReader::is_of_another(std::string_view words) const {
  const auto part = read_part(words);
  return part && is_begun() && part->mark.number != parts_.front().mark.number;
}

bool KitReader::is_complete() const { return is_begun() && parts_.size() >= parts_.front().mark.threshold; }

std::string KitReader::wanted() const {
  if (!is_begun()) return "a part";
  const auto missing = parts_.front().mark.threshold - parts_.size();
  const std::string kit = " of kit " + std::to_string(parts_.front().mark.number);
  return missing == 1 ? "one more part" + kit : "one of " + std::to_string(missing) + " more parts" + kit;
}

Result<SecretBytes> KitReader::key() const {
  ZKV_TRY(const auto secret, join(parts_));
  if (secret.size() == crypto::kFernetKeySize) return crypto::fernet_key_to_text(secret.span());
  return Error::invalid("these words are sound, but hold no recovery key of zkv");
}

std::vector<SecretBytes> parts_in(std::string_view text) {
  const auto whole = text;
  std::vector<SecretBytes> parts;
  RowCollector rows(parts);
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (const auto row = read_row(line)) {
      rows.take(*row);
    } else if (looks_like_part(line)) {
      parts.push_back(SecretBytes::copy_of(line));
    }
  }
  rows.finish();
  if (parts.empty() && looks_like_part(whole)) return parts_without_numbers(whole);
  return parts;
}

}  // namespace zkv::recovery
