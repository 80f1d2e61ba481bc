// Between words and their meaning. Source: SLIP-0039, "Format of the share mnemonic".
#include "recovery/part.h"

#include <algorithm>
#include <string>
#include <vector>

#include "recovery/checksum.h"
#include "recovery/word_list.h"
#include "recovery/words.h"

namespace zkv::recovery {

namespace {

constexpr std::size_t kHeadWords = 4;
constexpr std::size_t kHeadBits = kHeadWords * Words::kWordBits;
constexpr std::size_t kFewestWords = 20;  // of 16 bytes, the shortest secret there may be
constexpr std::size_t kMostWords = 64;    // so that a search for a mistake has an end
constexpr std::size_t kMostPadding = 8;

std::vector<std::string_view> split_words(std::string_view text) {
  static constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; (begin = text.find_first_not_of(kSpace, begin)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

std::string place(std::size_t number) { return "word " + std::to_string(number + 1); }

Result<Words> read_words(std::string_view text, std::size_t first = 0) {
  const auto typed = split_words(text);
  Words words(typed.size());
  std::string unknown;
  for (std::size_t i = 0; i < typed.size(); ++i) {
    const auto number = find_word(typed[i]);
    if (!number) unknown += (unknown.empty() ? "" : ", ") + place(first + i);
    words.set(i, number.value_or(0));
  }
  if (unknown.empty()) return words;
  return Error::invalid("no word of a recovery kit: " + unknown).remedy("see how it is written on the kit");
}

/// The second word also says which kind of checksum it is.
std::optional<Mistake> find_mistake_of_either_kind(const Words& words, bool is_extendable) {
  auto mistake = find_mistake(words, is_extendable);
  if (mistake) return mistake;
  mistake = find_mistake(words, !is_extendable);
  return mistake && mistake->place <= 1 ? mistake : std::nullopt;
}

Error wrong_checksum(const Words& words, bool is_extendable) {
  const auto mistake = find_mistake_of_either_kind(words, is_extendable);
  if (!mistake) {
    return Error::invalid("the words do not fit together: at least two of them are wrong")
        .remedy("compare each with the kit, and their order");
  }
  if (mistake->is_swap) {
    return Error::invalid(place(mistake->place) + " and " + place(mistake->place + 1) +
                          " seem to have changed places")
        .remedy("compare them with the kit");
  }
  return Error::invalid(place(mistake->place) + " is not the one on the kit")
      .remedy("compare it with the kit; where it is the same there, several others are wrong");
}

/// A run of bits as a number.
unsigned bits(const Words& words, std::size_t first, std::size_t number) {
  unsigned value = 0;
  for (std::size_t i = 0; i < number; ++i) value = value << 1U | (words.bit(first + i) ? 1U : 0U);
  return value;
}

void set_bits(Words& words, std::size_t first, std::size_t number, unsigned value) {
  for (std::size_t i = 0; i < number; ++i) words.set_bit(first + i, value >> (number - 1 - i) & 1U);
}

std::size_t value_bits(std::size_t words) { return (words - kHeadWords - kChecksumWords) * Words::kWordBits; }

std::size_t padding_of(const Words& words) { return value_bits(words.size()) % 16; }

/// Too many or too few are more likely than a checksum that fits by chance.
Result<> check_number(const Words& words) {
  if (words.size() < kFewestWords || words.size() > kMostWords) {
    return Error::invalid("there are " + std::to_string(words.size()) + " words, and a part has " +
                          std::to_string(kPartWords));
  }
  if (padding_of(words) <= kMostPadding) return {};
  return Error::invalid("a part cannot have " + std::to_string(words.size()) + " words")
      .remedy("a part of a recovery kit has 33: see whether one was left out, or typed twice");
}

/// Of words whose checksum is right: what is wrong with another then is no slip of a pen.
Result<SecretBytes> read_value(const Words& words) {
  const std::size_t padding = padding_of(words);
  const std::size_t size = value_bits(words.size()) / 16 * 2;
  if (bits(words, kHeadBits, padding) != 0)
    return Error::invalid("these words are no part of a recovery kit");
  SecretBytes value(size);
  for (std::size_t i = 0; i < size; ++i) {
    value.data()[i] = static_cast<std::uint8_t>(bits(words, kHeadBits + padding + 8 * i, 8));
  }
  return value;
}

}  // namespace

SecretBytes write_part(const Part& part) {
  const std::size_t value_words = (8 * part.value.size() + Words::kWordBits - 1) / Words::kWordBits;
  Words words(kHeadWords + value_words + kChecksumWords);
  set_bits(words, 0, 15, part.mark.number);
  set_bits(words, 15, 1, part.mark.is_extendable ? 1 : 0);
  set_bits(words, 16, 4, part.mark.exponent);
  set_bits(words, 20, 12, 0);  // group 0 of 1, of which 1 is needed
  set_bits(words, 32, 4, part.index);
  set_bits(words, 36, 4, part.mark.threshold - 1U);
  const std::size_t padding = value_words * Words::kWordBits - 8 * part.value.size();
  for (std::size_t i = 0; i < part.value.size(); ++i) {
    set_bits(words, kHeadBits + padding + 8 * i, 8, part.value.data()[i]);
  }
  add_checksum(words, part.mark.is_extendable);
  SecretBuilder text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) text.append(" ");
    append_word(text, words.at(i));
  }
  return text.take();
}

Result<Part> read_part(std::string_view text) {
  ZKV_TRY(const auto words, read_words(text));
  ZKV_CHECK(check_number(words));
  Part part;
  part.mark.is_extendable = words.bit(15);
  if (!has_right_checksum(words, part.mark.is_extendable)) {
    return wrong_checksum(words, part.mark.is_extendable);
  }
  ZKV_TRY(part.value, read_value(words));
  part.mark.number = static_cast<std::uint16_t>(bits(words, 0, 15));
  part.mark.exponent = static_cast<std::uint8_t>(bits(words, 16, 4));
  part.index = static_cast<std::uint8_t>(bits(words, 32, 4));
  part.mark.threshold = static_cast<std::uint8_t>(bits(words, 36, 4) + 1);
  if (bits(words, 20, 12) == 0) return part;
  return Error::unsupported("this is a share in several groups, which no recovery kit is");
}

std::optional<WrongWords> find_wrong_words(std::string_view text) {
  const auto words = read_words(text);
  if (!words || words->size() < kFewestWords || words->size() > kMostWords) return std::nullopt;
  const bool is_extendable = words->bit(15);
  if (has_right_checksum(*words, is_extendable)) return std::nullopt;
  const auto mistake = find_mistake_of_either_kind(*words, is_extendable);
  if (!mistake) return std::nullopt;
  return WrongWords{mistake->place, mistake->place + (mistake->is_swap ? 1 : 0)};
}

Result<> check_words(std::string_view text, std::size_t first) {
  ZKV_CHECK(read_words(text, first));
  return {};
}

bool looks_like_part(std::string_view text) {
  const auto typed = split_words(text);
  if (typed.size() < kFewestWords) return false;
  const auto known = std::count_if(typed.begin(), typed.end(),
                                   [](std::string_view word) { return find_word(word).has_value(); });
  return 4 * static_cast<std::size_t>(known) >= 3 * typed.size();
}

}  // namespace zkv::recovery
