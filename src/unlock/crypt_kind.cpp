// All kinds of dm-crypt volume.
#include "unlock/crypt_kind.h"

namespace zkv::unlock {

namespace {

template <class Wanted>
const CryptKind* find_kind(const Wanted& is_wanted) {
  for (const auto* candidate :
       {&luks_kind(), &plain_kind(), &bitlk_kind(), &tcrypt_kind(), &fvault2_kind()}) {
    if (is_wanted(candidate->kind)) return candidate;
  }
  return nullptr;
}

}  // namespace

const CryptKind* crypt_kind_of(repository::VolumeKind kind) {
  return find_kind([&](repository::VolumeKind candidate) { return candidate == kind; });
}

const CryptKind* crypt_kind_named(std::string_view name) {
  return find_kind([&](repository::VolumeKind candidate) { return repository::to_text(candidate) == name; });
}

}  // namespace zkv::unlock
