// All kinds of dm-crypt volume.
#include "unlock/crypt_kind.h"

namespace zkv::unlock {

const CryptKind* crypt_kind_of(repository::VolumeKind kind) {
  for (const auto* candidate :
       {&luks_kind(), &plain_kind(), &bitlk_kind(), &tcrypt_kind(), &fvault2_kind()}) {
    if (candidate->kind == kind) return candidate;
  }
  return nullptr;
}

}  // namespace zkv::unlock
