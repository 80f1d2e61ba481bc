// LUKS, versions 1 and 2: by a key slot, or by the key of the cipher itself.
#include "unlock/crypt_kind.h"
#include "unlock/crypt_options.h"

namespace zkv::unlock {

namespace {

constexpr std::uint64_t kMostSlots = 32;  // of LUKS2; a header that has fewer says so itself

Result<bool> take_luks_word(std::string_view word, const std::optional<std::string_view>& value,
                            CryptWishes& wishes) {
  if (!value) {
    wishes.is_volume_key |= word == "volume-key";
    return word == "volume-key";
  }
  if (word == "header") {
    ZKV_CHECK(check_path_option(word, *value));
    wishes.header = *value;
    return true;
  }
  if (word == "key-slot" || word == "keyslot") {
    ZKV_TRY(const auto slot, number_option(word, *value, 0, kMostSlots - 1));
    wishes.key_slot = static_cast<int>(slot);
    return true;
  }
  return false;
}

Result<> check_luks_words(const CryptWishes& wishes) {
  if (!wishes.is_volume_key || !wishes.key_slot) return {};
  return Error::invalid("volume-key asks no key slot, so that key-slot= has no meaning beside it");
}

constexpr CryptKind kLuksKind{repository::VolumeKind::kLuks,
                              CryptFormat::kLuks,
                              "CRYPT-LUKS",
                              "header=FILE, key-slot=NUMBER, volume-key",
                              "the key in the repository opens none of its key slots",
                              take_luks_word,
                              check_luks_words};

}  // namespace

const CryptKind& luks_kind() { return kLuksKind; }

std::unique_ptr<Unlocker> make_luks_unlocker(CryptOptions options) {
  return make_crypt_unlocker(kLuksKind, std::move(options));
}

}  // namespace zkv::unlock
