// The words that all kinds share, and libcryptsetup's flags for them.
#include "unlock/crypt_options.h"

#include <libcryptsetup.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

#include "unlock/option_words.h"

namespace zkv::unlock {

namespace {

struct Flag {
  std::string_view word;
  std::uint32_t activation;
};

/// Source: crypttab(5) of systemd and of Debian's cryptsetup.
constexpr std::array kFlags{
    Flag{"discard", CRYPT_ACTIVATE_ALLOW_DISCARDS},
    Flag{"read-only", CRYPT_ACTIVATE_READONLY},
    Flag{"readonly", CRYPT_ACTIVATE_READONLY},
    Flag{"no-read-workqueue", CRYPT_ACTIVATE_NO_READ_WORKQUEUE},
    Flag{"no-write-workqueue", CRYPT_ACTIVATE_NO_WRITE_WORKQUEUE},
    Flag{"same-cpu-crypt", CRYPT_ACTIVATE_SAME_CPU_CRYPT},
    Flag{"submit-from-crypt-cpus", CRYPT_ACTIVATE_SUBMIT_FROM_CRYPT_CPUS},
};

constexpr std::size_t kLongestMappingName = 127;  // DM_NAME_LEN without its end mark

Error unknown_option(const CryptKind& kind, std::string_view word) {
  std::string known(kind.words);
  if (!known.empty()) known += ", ";
  return Error::invalid("the option '" + std::string(word) + "' is not known for a volume of kind " +
                        to_text(kind.kind))
      .remedy("known are " + known +
              "discard, read-only, no-read-workqueue, no-write-workqueue, same-cpu-crypt, "
              "submit-from-crypt-cpus, keyfile-offset=BYTES, keyfile-size=BYTES");
}

Result<bool> take_common(std::string_view word, const std::optional<std::string_view>& value,
                         CryptWishes& wishes) {
  static constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  if (!value) {
    const auto* flag =
        std::find_if(kFlags.begin(), kFlags.end(), [&](const Flag& f) { return f.word == word; });
    if (flag == kFlags.end()) return false;
    wishes.activation |= flag->activation;
    return true;
  }
  if (word == "keyfile-offset") {
    ZKV_TRY(wishes.key_offset, number_option(word, *value, 0, kMost));
    return true;
  }
  if (word == "keyfile-size") {
    ZKV_TRY(wishes.key_size, number_option(word, *value, 1, kMost));
    return true;
  }
  return false;
}

Result<> take_option(const CryptKind& kind, std::string_view option, CryptWishes& wishes) {
  const auto equals = option.find('=');
  const auto word = option.substr(0, equals);
  std::optional<std::string_view> value;
  if (equals != std::string_view::npos) value = option.substr(equals + 1);
  if (option == to_text(kind.kind)) return {};
  ZKV_TRY(const bool is_own, kind.take(word, value, wishes));
  if (is_own) return {};
  ZKV_TRY(const bool is_common, take_common(word, value, wishes));
  if (!is_common) return unknown_option(kind, option);
  return {};
}

}  // namespace

Result<CryptWishes> parse_crypt_options(const CryptKind& kind, std::string_view options) {
  CryptWishes wishes;
  for (const auto word : option_words(options)) ZKV_CHECK(take_option(kind, word, wishes));
  wishes.is_read_only = (wishes.activation & CRYPT_ACTIVATE_READONLY) != 0;
  ZKV_CHECK(kind.check(wishes));
  return wishes;
}

std::string known_crypt_options(const CryptKind& kind, const std::vector<std::string>& options) {
  std::string known;
  for (const auto& option : options) {
    CryptWishes wishes;
    if (take_option(kind, option, wishes)) known += (known.empty() ? "" : ",") + option;
  }
  return known;
}

Result<std::uint64_t> number_option(std::string_view word, std::string_view value, std::uint64_t least,
                                    std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failed == std::errc() && end == value.data() + value.size() && number >= least && number <= most) {
    return number;
  }
  return Error::invalid(std::string(word) + "= wants a number from " + std::to_string(least) + " to " +
                        std::to_string(most) + ", not '" + std::string(value) + "'");
}

Result<> check_path_option(std::string_view word, std::string_view value) {
  if (value.starts_with('/')) return {};
  return Error::invalid(std::string(word) + "= wants the whole path of a file or device");
}

Result<std::span<const std::uint8_t>> key_part(std::span<const std::uint8_t> key, const CryptWishes& wishes) {
  const std::uint64_t left = key.size() - std::min<std::uint64_t>(key.size(), wishes.key_offset);
  const std::uint64_t wanted = wishes.key_size.value_or(left);
  if (left == 0 || wanted > left) {
    return Error::invalid("the key in the repository is shorter than keyfile-offset= and keyfile-size= want");
  }
  if (wishes.plain.hash == "plain" && wanted < wishes.plain.key_bytes) {
    return Error::invalid("the key in the repository is shorter than the " +
                          std::to_string(wishes.plain.key_bytes) +
                          " bytes that the cipher takes, and hash=plain makes nothing of it");
  }
  return key.subspan(wishes.key_offset, wanted);
}

Result<> check_mapping_name(std::string_view name) {
  static constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#+-.:=@_";
  const bool is_special = name == "." || name == ".." || name == "control";
  const bool is_sound = !name.empty() && name.size() <= kLongestMappingName && !is_special &&
                        name.find_first_not_of(kAllowed) == std::string_view::npos;
  if (is_sound) return {};
  return Error::invalid("no mapping can have that name")
      .remedy(
          "such a volume is named as its mapping is to be: NAME for /dev/mapper/NAME, of letters, digits "
          "and #+-.:=@_");
}

}  // namespace zkv::unlock
