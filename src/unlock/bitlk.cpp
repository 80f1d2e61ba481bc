// BitLocker: passphrase, recovery key, or the bytes of a startup key's .BEK file.
#include "unlock/crypt_kind.h"

namespace zkv::unlock {

namespace {

Result<bool> take_bitlk_word(std::string_view, const std::optional<std::string_view>&, CryptWishes&) {
  return false;
}

Result<> check_bitlk_words(const CryptWishes&) { return {}; }

constexpr CryptKind kBitlkKind{repository::VolumeKind::kBitlk,
                               CryptFormat::kBitlk,
                               "CRYPT-BITLK-",
                               {},
                               "the key in the repository opens none of its protectors",
                               take_bitlk_word,
                               check_bitlk_words};

}  // namespace

const CryptKind& bitlk_kind() { return kBitlkKind; }

std::unique_ptr<Unlocker> make_bitlk_unlocker(CryptOptions options) {
  return make_crypt_unlocker(kBitlkKind, std::move(options));
}

}  // namespace zkv::unlock
