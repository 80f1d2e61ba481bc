// The attributes, one by one. noDA: no guesses are to be counted against what has no password, and others'
// wrong guesses must not lock it.
#include "tpm/templates.h"

namespace zkv::tpm {

namespace {

constexpr TPMA_OBJECT kStaysHere =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
constexpr UINT16 kCoordinate = 32;

TPM2B_PUBLIC area(TPMI_ALG_PUBLIC type, TPMA_OBJECT attributes) {
  TPM2B_PUBLIC made{};
  made.publicArea.type = type;
  made.publicArea.nameAlg = TPM2_ALG_SHA256;
  made.publicArea.objectAttributes = attributes;
  return made;
}

TPM2B_PUBLIC p256(TPMA_OBJECT attributes) {
  auto made = area(TPM2_ALG_ECC, attributes | TPMA_OBJECT_SENSITIVEDATAORIGIN);
  auto& curve = made.publicArea.parameters.eccDetail;
  curve.symmetric.algorithm = TPM2_ALG_NULL;
  curve.scheme.scheme = TPM2_ALG_NULL;
  curve.curveID = TPM2_ECC_NIST_P256;
  curve.kdf.scheme = TPM2_ALG_NULL;
  return made;
}

}  // namespace

TPM2B_PUBLIC storage_root() {
  auto made = p256(kStaysHere | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT);
  auto& symmetric = made.publicArea.parameters.eccDetail.symmetric;
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  made.publicArea.unique.ecc.x.size = kCoordinate;
  made.publicArea.unique.ecc.y.size = kCoordinate;
  return made;
}

TPM2B_PUBLIC signing_key() {
  auto made = p256(kStaysHere | TPMA_OBJECT_SIGN_ENCRYPT);
  auto& scheme = made.publicArea.parameters.eccDetail.scheme;
  scheme.scheme = TPM2_ALG_ECDSA;
  scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  return made;
}

TPM2B_PUBLIC sealed_bytes() {
  auto made = area(TPM2_ALG_KEYEDHASH, kStaysHere);
  made.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  return made;
}

}  // namespace zkv::tpm
