// FileVault 2, as macOS puts it on a Core Storage volume: by passphrase.
#include "unlock/crypt_kind.h"

namespace zkv::unlock {

namespace {

Result<bool> take_fvault2_word(std::string_view, const std::optional<std::string_view>&, CryptWishes&) {
  return false;
}

Result<> check_fvault2_words(const CryptWishes&) { return {}; }

constexpr CryptKind kFvault2Kind{repository::VolumeKind::kFvault2,
                                 CryptFormat::kFvault2,
                                 "CRYPT-FVAULT2-",
                                 {},
                                 "the key in the repository opens none of its users",
                                 take_fvault2_word,
                                 check_fvault2_words};

}  // namespace

const CryptKind& fvault2_kind() { return kFvault2Kind; }

std::unique_ptr<Unlocker> make_fvault2_unlocker(CryptOptions options) {
  return make_crypt_unlocker(kFvault2Kind, std::move(options));
}

}  // namespace zkv::unlock
