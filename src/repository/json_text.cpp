// A strict reader of JSON objects of strings that decodes in place (an escape is never shorter than what it
// stands for), and the writer of such strings.
#include "repository/json_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iterator>
#include <optional>

#include "base/utf8.h"

namespace zkv::repository {

namespace {

constexpr bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
constexpr bool is_low_surrogate(std::uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }
/// U+DC80..U+DCFF stand for the bytes 0x80..0xff.
constexpr bool is_escaped_byte(std::uint32_t unit) { return unit >= 0xdc80 && unit <= 0xdcff; }

Error not_json(std::size_t where) {
  return Error::corrupt("byte " + std::to_string(where) + " of the JSON text is not as it should be");
}

int hex_digit(std::uint8_t character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

/// Whether a byte within a string stands for itself: a table, since a repository is mostly such bytes.
constexpr auto kNeedsNoLook = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) table.at(byte) = byte != '"' && byte != '\\';
  return table;
}();

using Word = std::array<std::uint8_t, 8>;

/// The same of eight bytes at once: their highest bits tell. Only out of a byte that needs a look itself is
/// anything borrowed from the one beside it. Source: "Bit Twiddling Hacks" by S. E. Anderson, "Determine if a
/// word has a byte less than n".
bool needs_no_look(const std::uint8_t* bytes) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  Word raw{};
  std::copy_n(bytes, raw.size(), raw.begin());
  const auto word = std::bit_cast<std::uint64_t>(raw);
  const std::uint64_t quotes = (word ^ kEach * '"') - kEach;
  const std::uint64_t backslashes = (word ^ kEach * '\\') - kEach;
  const std::uint64_t controls = word - kEach * 0x20;
  return ((quotes | backslashes | controls | word) & kEach * 0x80) == 0;
}

class Reader {
 public:
  explicit Reader(std::span<std::uint8_t> text) : text_(text) {}

  [[nodiscard]] Error error() const { return not_json(at_); }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

  void skip_space() {
    while (!at_end() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool take(char character) {
    if (at_end() || text_[at_] != static_cast<std::uint8_t>(character)) return false;
    ++at_;
    return true;
  }

  /// A whole string token; its decoded bytes lie at the token's own place, and of it nothing else is left.
  Result<std::span<const std::uint8_t>> take_string() {
    if (!take('"')) return error();
    const std::size_t start = at_;
    out_ = at_;
    take_ascii();
    while (!at_end() && text_[at_] != '"') {
      if (!(text_[at_] == '\\' ? take_escape() : take_code_point())) return error();
      take_ascii();
    }
    if (out_ != at_) explicit_bzero(text_.data() + out_, at_ - out_);
    if (!take('"')) return error();
    return text_.subspan(start, out_ - start);
  }

 private:
  void put(std::uint8_t byte) { text_[out_++] = byte; }
  void put(const Utf8& utf8) {
    std::for_each_n(utf8.bytes.begin(), utf8.size, [this](auto b) { put(b); });
  }

  /// All characters up to one that needs a look.
  void take_ascii() {
    const std::uint8_t* const start = text_.data() + at_;
    const std::uint8_t* const end = text_.data() + text_.size();
    const std::uint8_t* next = start;
    while (end - next >= std::ssize(Word()) && needs_no_look(next)) next += std::ssize(Word());
    while (next != end && kNeedsNoLook[*next]) ++next;
    move_on(static_cast<std::size_t>(next - start));
  }

  bool take_code_point() {
    const CodePoint point = first_code_point(text_.subspan(at_));
    if (point.size == 0 || point.value < 0x20) return false;
    move_on(point.size);
    return true;
  }

  /// Takes the next `size` bytes as they are.
  void move_on(std::size_t size) {
    if (out_ != at_) std::memmove(text_.data() + out_, text_.data() + at_, size);
    at_ += size;
    out_ += size;
  }

  bool take_escape() {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    ++at_;
    if (at_end()) return false;
    if (text_[at_] == 'u') return take_unicode_escape();
    const std::size_t letter = kLetters.find(static_cast<char>(text_[at_]));
    if (letter == std::string_view::npos) return false;
    ++at_;
    put(static_cast<std::uint8_t>(kMeanings[letter]));
    return true;
  }

  /// The four digits after \u; `at_` stands on the u.
  std::optional<std::uint32_t> take_code_unit() {
    ++at_;
    if (text_.size() - at_ < 4) return std::nullopt;
    std::uint32_t unit = 0;
    for (int digits = 0; digits < 4; ++digits, ++at_) {
      const int digit = hex_digit(text_[at_]);
      if (digit < 0) return std::nullopt;
      unit = unit << 4 | static_cast<std::uint32_t>(digit);
    }
    return unit;
  }

  bool take_unicode_escape() {
    const auto unit = take_code_unit();
    if (!unit) return false;
    if (is_high_surrogate(*unit)) return take_low_surrogate(*unit);
    if (is_escaped_byte(*unit)) {
      put(static_cast<std::uint8_t>(*unit & 0xff));
      return true;
    }
    if (is_low_surrogate(*unit)) return false;
    put(to_utf8(*unit));
    return true;
  }

  bool take_low_surrogate(std::uint32_t high) {
    if (!take('\\') || at_end() || text_[at_] != 'u') return false;
    const auto low = take_code_unit();
    if (!low || !is_low_surrogate(*low)) return false;
    put(to_utf8(0x10000 + ((high - 0xd800) << 10) + (*low - 0xdc00)));
    return true;
  }

  std::span<std::uint8_t> text_;
  std::size_t at_ = 0;
  std::size_t out_ = 0;
};

void append_code_unit(SecretBuilder& out, std::uint32_t unit) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.append(kDigits.substr(unit >> shift & 0xf, 1));
}

void append_escaped(SecretBuilder& out, std::uint32_t value) {
  static constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kLetters = "\"\\bfnrt";
  const std::size_t place = value < 0x80 ? kMeanings.find(static_cast<char>(value)) : std::string_view::npos;
  if (place != std::string_view::npos) {
    out.append("\\");
    out.append(kLetters.substr(place, 1));
  } else if (value < 0x10000) {
    append_code_unit(out, value);
  } else {
    append_code_unit(out, 0xd800 + ((value - 0x10000) >> 10));
    append_code_unit(out, 0xdc00 + ((value - 0x10000) & 0x3ff));
  }
}

constexpr bool is_plain(std::uint32_t value) {
  return value >= 0x20 && value < 0x7f && value != '"' && value != '\\';
}

}  // namespace

Result<> read_json_object(
    std::span<std::uint8_t> text,
    const std::function<void(std::string_view name, std::span<const std::uint8_t> value)>& member) {
  Reader reader(text);
  reader.skip_space();
  if (!reader.take('{')) return reader.error();
  reader.skip_space();
  bool more = !reader.take('}');
  while (more) {
    reader.skip_space();
    ZKV_TRY(const auto name, reader.take_string());
    reader.skip_space();
    if (!reader.take(':')) return reader.error();
    reader.skip_space();
    ZKV_TRY(const auto value, reader.take_string());
    member({reinterpret_cast<const char*>(name.data()), name.size()}, value);
    reader.skip_space();
    more = reader.take(',');
    if (!more && !reader.take('}')) return reader.error();
  }
  reader.skip_space();
  if (!reader.at_end()) return reader.error();
  return {};
}

void append_json_string(SecretBuilder& out, std::span<const std::uint8_t> text) {
  out.push_back('"');
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const std::size_t size = std::max<std::size_t>(point.size, 1);
    if (point.size == 0) {
      append_code_unit(out, 0xdc00U + text.front());
    } else if (is_plain(point.value)) {
      out.append(text.first(1));
    } else {
      append_escaped(out, point.value);
    }
    text = text.subspan(size);
  }
  out.push_back('"');
}

bool is_utf8(std::span<const std::uint8_t> text) {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (point.size == 0) return false;
    text = text.subspan(point.size);
  }
  return true;
}

}  // namespace zkv::repository
