// TrueCrypt and VeraCrypt: a header that nobody can tell from noise, and up to three others beside it.
// Source: crypttab(5) of systemd; libcryptsetup.h, crypt_params_tcrypt.
#include <libcryptsetup.h>

#include <algorithm>
#include <array>

#include "unlock/crypt_kind.h"
#include "unlock/crypt_options.h"

namespace zkv::unlock {

namespace {

struct TcryptWord {
  std::string_view word;
  std::uint32_t flag;
};
constexpr std::array kTcryptWords{TcryptWord{"tcrypt-hidden", CRYPT_TCRYPT_HIDDEN_HEADER},
                                  TcryptWord{"tcrypt-system", CRYPT_TCRYPT_SYSTEM_HEADER},
                                  TcryptWord{"tcrypt-backup", CRYPT_TCRYPT_BACKUP_HEADER},
                                  TcryptWord{"tcrypt-veracrypt", CRYPT_TCRYPT_VERA_MODES}};

constexpr std::uint64_t kMostPim = 2'000'000;  // 15'000 + 1000 * PIM rounds still are a 32-bit number

Result<bool> take_tcrypt_word(std::string_view word, const std::optional<std::string_view>& value,
                              CryptWishes& wishes) {
  auto& tcrypt = wishes.tcrypt;
  if (!value) {
    const auto* found =
        std::find_if(kTcryptWords.begin(), kTcryptWords.end(), [&](const auto& w) { return w.word == word; });
    if (found == kTcryptWords.end()) return false;
    tcrypt.flags |= found->flag;
    return true;
  }
  if (word == "tcrypt-keyfile") {
    ZKV_CHECK(check_path_option(word, *value));
    tcrypt.key_files.emplace_back(*value);
  } else if (word == "veracrypt-pim") {
    ZKV_TRY(const auto pim, number_option(word, *value, 0, kMostPim));
    tcrypt.pim = static_cast<std::uint32_t>(pim);
  } else if (word == "hash") {
    tcrypt.hash = *value;
  } else {
    return false;
  }
  return true;
}

Result<> check_tcrypt_words(const CryptWishes& wishes) {
  const auto flags = wishes.tcrypt.flags;
  if (wishes.tcrypt.pim != 0 && (flags & CRYPT_TCRYPT_VERA_MODES) == 0) {
    return Error::invalid("veracrypt-pim= is VeraCrypt's: it wants tcrypt-veracrypt beside it");
  }
  if ((flags & CRYPT_TCRYPT_SYSTEM_HEADER) != 0 && (flags & CRYPT_TCRYPT_HIDDEN_HEADER) != 0) {
    return Error::invalid("tcrypt-hidden and tcrypt-system do not go together");
  }
  return {};
}

constexpr CryptKind kTcryptKind{
    repository::VolumeKind::kTcrypt,
    CryptFormat::kTcrypt,
    "CRYPT-TCRYPT-",
    "tcrypt-veracrypt, tcrypt-hidden, tcrypt-system, tcrypt-backup, tcrypt-keyfile=FILE, "
    "veracrypt-pim=NUMBER, hash=",
    "the key in the repository, with its options, opens no header there: it is another key, or a header that "
    "tcrypt-veracrypt, tcrypt-hidden, tcrypt-keyfile= or veracrypt-pim= would find",
    take_tcrypt_word,
    check_tcrypt_words};

}  // namespace

const CryptKind& tcrypt_kind() { return kTcryptKind; }

std::unique_ptr<Unlocker> make_tcrypt_unlocker(CryptOptions options) {
  return make_crypt_unlocker(kTcryptKind, std::move(options));
}

}  // namespace zkv::unlock
