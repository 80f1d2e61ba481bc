// Plain dm-crypt: no header, so that everything has to be said, and nothing on the device tells a wrong key.
// Source: crypttab(5) of systemd, cryptsetup-open(8), "PLAIN".
#include <limits>

#include "unlock/crypt_kind.h"
#include "unlock/crypt_options.h"

namespace zkv::unlock {

namespace {

constexpr std::uint64_t kMostSectors = std::numeric_limits<std::int64_t>::max() / 512;
constexpr std::uint64_t kMostKeyBits = 4096;

Result<> take_cipher(std::string_view value, PlainShape& plain) {
  const auto dash = value.find('-');
  if (dash == 0 || dash == std::string_view::npos || dash + 1 == value.size()) {
    return Error::invalid("cipher= wants cipher, mode and IV, such as aes-xts-plain64");
  }
  plain.cipher = value.substr(0, dash);
  plain.mode = value.substr(dash + 1);
  return {};
}

Result<> take_key_bits(std::string_view value, PlainShape& plain) {
  ZKV_TRY(const auto bits, number_option("size", value, 8, kMostKeyBits));
  if (bits % 8 != 0) return Error::invalid("size= is a number of bits, in whole bytes");
  plain.key_bytes = static_cast<std::uint32_t>(bits / 8);
  return {};
}

Result<> take_sector_bytes(std::string_view value, PlainShape& plain) {
  ZKV_TRY(const auto bytes, number_option("sector-size", value, 512, 4096));
  if ((bytes & (bytes - 1)) != 0) return Error::invalid("sector-size= is 512, 1024, 2048 or 4096");
  plain.sector_bytes = static_cast<std::uint32_t>(bytes);
  return {};
}

/// Debian's crypttab has check= and checkargs=; here there is a check unless it is switched off.
Result<> take_check(std::string_view value, CryptWishes& wishes) {
  if (value != "blkid" && value != "none") return Error::invalid("check= is blkid or none");
  wishes.takes_any_content = value == "none";
  return {};
}

Result<bool> take_plain_word(std::string_view word, const std::optional<std::string_view>& value,
                             CryptWishes& wishes) {
  if (!value) return word == "check";
  const auto done = [](const Result<>& taken) { return taken.map([] { return true; }); };
  auto& plain = wishes.plain;
  if (word == "cipher") return done(take_cipher(*value, plain));
  if (word == "size") return done(take_key_bits(*value, plain));
  if (word == "sector-size") return done(take_sector_bytes(*value, plain));
  if (word == "check") return done(take_check(*value, wishes));
  if (word == "hash") {
    plain.hash = *value;
  } else if (word == "checkargs") {
    wishes.content = *value;
  } else if (word == "offset") {
    ZKV_TRY(plain.offset, number_option(word, *value, 0, kMostSectors));
  } else if (word == "skip") {
    ZKV_TRY(plain.skip, number_option(word, *value, 0, kMostSectors));
  } else {
    return false;
  }
  return true;
}

Result<> check_plain_words(const CryptWishes& wishes) {
  if (wishes.plain.cipher.empty() || wishes.plain.key_bytes == 0 || wishes.plain.hash.empty()) {
    return Error::invalid(
               "a plain volume has no header, so that its options must say cipher=, size= and hash=")
        .remedy(
            "'cryptsetup status' tells cipher and size where it is open; hash= is plain where the key is the "
            "cipher's own");
  }
  if (!wishes.takes_any_content || wishes.content.empty()) return {};
  return Error::invalid("checkargs= has no meaning beside check=none");
}

constexpr CryptKind kPlainKind{
    repository::VolumeKind::kPlain,
    CryptFormat::kPlain,
    "CRYPT-PLAIN-",
    "cipher=, size=BITS, hash=, offset=SECTORS, skip=SECTORS, sector-size=BYTES, checkargs=TYPE, check=none",
    {},
    take_plain_word,
    check_plain_words};

}  // namespace

const CryptKind& plain_kind() { return kPlainKind; }

std::unique_ptr<Unlocker> make_plain_unlocker(CryptOptions options) {
  return make_crypt_unlocker(kPlainKind, std::move(options));
}

}  // namespace zkv::unlock
