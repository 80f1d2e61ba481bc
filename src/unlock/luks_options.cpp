// crypttab's words, and libcryptsetup's flags for them.
#include "unlock/luks_options.h"

#include <libcryptsetup.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace zkv::unlock {

namespace {

struct Flag {
  std::string_view word;
  std::uint32_t activation;
};

/// Source: crypttab(5) of systemd and of Debian's cryptsetup.
constexpr std::array kFlags{
    Flag{"luks", 0},
    Flag{"discard", CRYPT_ACTIVATE_ALLOW_DISCARDS},
    Flag{"read-only", CRYPT_ACTIVATE_READONLY},
    Flag{"readonly", CRYPT_ACTIVATE_READONLY},
    Flag{"no-read-workqueue", CRYPT_ACTIVATE_NO_READ_WORKQUEUE},
    Flag{"no-write-workqueue", CRYPT_ACTIVATE_NO_WRITE_WORKQUEUE},
    Flag{"same-cpu-crypt", CRYPT_ACTIVATE_SAME_CPU_CRYPT},
    Flag{"submit-from-crypt-cpus", CRYPT_ACTIVATE_SUBMIT_FROM_CRYPT_CPUS},
};

constexpr int kMostSlots = 32;                    // of LUKS2; a header that has fewer says so itself
constexpr std::size_t kLongestMappingName = 127;  // DM_NAME_LEN without its end mark

Error unknown_option(std::string_view word) {
  return Error::invalid("the option '" + std::string(word) + "' is not known")
      .remedy(
          "known are discard, read-only, no-read-workqueue, no-write-workqueue, same-cpu-crypt, "
          "submit-from-crypt-cpus, header=FILE, key-slot=NUMBER");
}

Result<> take_slot(std::string_view value, LuksWishes& wishes) {
  int slot = -1;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), slot);
  if (failed != std::errc() || end != value.data() + value.size() || slot < 0 || slot >= kMostSlots) {
    return Error::invalid("'" + std::string(value) + "' is not the number of a key slot");
  }
  wishes.key_slot = slot;
  return {};
}

Result<> take_header(std::string_view value, LuksWishes& wishes) {
  wishes.header = value;
  if (wishes.header.is_absolute()) return {};
  return Error::invalid("header= wants the whole path of a file or device");
}

Result<> take_option(std::string_view word, LuksWishes& wishes) {
  const auto equals = word.find('=');
  if (equals != std::string_view::npos) {
    const auto name = word.substr(0, equals);
    if (name == "header") return take_header(word.substr(equals + 1), wishes);
    if (name == "key-slot" || name == "keyslot") return take_slot(word.substr(equals + 1), wishes);
    return unknown_option(word);
  }
  const auto* flag =
      std::find_if(kFlags.begin(), kFlags.end(), [&](const Flag& f) { return f.word == word; });
  if (flag == kFlags.end()) return unknown_option(word);
  wishes.activation |= flag->activation;
  return {};
}

}  // namespace

Result<LuksWishes> parse_luks_options(std::string_view options) {
  LuksWishes wishes;
  while (!options.empty()) {
    const auto comma = options.find(',');
    const auto word = options.substr(0, comma);
    if (!word.empty()) ZKV_CHECK(take_option(word, wishes));
    options.remove_prefix(comma == std::string_view::npos ? options.size() : comma + 1);
  }
  wishes.is_read_only = (wishes.activation & CRYPT_ACTIVATE_READONLY) != 0;
  return wishes;
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
          "a LUKS volume is named as its mapping is to be: NAME for /dev/mapper/NAME, of letters, digits "
          "and #+-.:=@_");
}

}  // namespace zkv::unlock
