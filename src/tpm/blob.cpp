// Marshalling by libtss2-mu.
#include "tpm/blob.h"

#include <algorithm>

namespace zkv::tpm {

namespace {

template <class Structure, class Marshal>
Result<Bytes> write(const Structure& structure, Marshal marshal) {
  Bytes bytes(sizeof(Structure));
  std::size_t size = 0;
  if (marshal(&structure, bytes.data(), bytes.size(), &size) != TSS2_RC_SUCCESS) {
    return Error::internal("what the TPM made cannot be written down");
  }
  bytes.resize(size);
  return bytes;
}

template <class Structure, class Unmarshal>
Result<Structure> read(const Bytes& bytes, Unmarshal unmarshal) {
  Structure structure{};
  std::size_t size = 0;
  const bool is_one =
      unmarshal(bytes.data(), bytes.size(), &size, &structure) == TSS2_RC_SUCCESS && size == bytes.size();
  if (!is_one) return Error::corrupt("a key of the TPM is damaged");
  return structure;
}

bool is_signing_key(const TPMT_PUBLIC& area) {
  return area.type == TPM2_ALG_ECC && area.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256;
}

}  // namespace

Result<Blob> to_blob(const TssLibrary& tss, const TPM2B_PUBLIC& public_area,
                     const TPM2B_PRIVATE& private_area) {
  Blob blob;
  ZKV_TRY(blob.public_area, write(public_area, tss.write_public));
  ZKV_TRY(blob.private_area, write(private_area, tss.write_private));
  return blob;
}

Result<TPM2B_PUBLIC> public_of(const TssLibrary& tss, const Blob& blob) {
  return read<TPM2B_PUBLIC>(blob.public_area, tss.read_public);
}

Result<TPM2B_PRIVATE> private_of(const TssLibrary& tss, const Blob& blob) {
  return read<TPM2B_PRIVATE>(blob.private_area, tss.read_private);
}

Result<Point> point_of(const Blob& key) {
  ZKV_TRY(const auto* tss, tss_library());
  ZKV_TRY(const auto made, public_of(*tss, key));
  if (!is_signing_key(made.publicArea)) return Error::corrupt("a key of the TPM is not one of P-256");
  const auto& given = made.publicArea.unique.ecc;
  Point point;
  if (given.x.size > point.x.size() || given.y.size > point.y.size()) {
    return Error::corrupt("a key of the TPM is not one of P-256");
  }
  std::copy_n(given.x.buffer, given.x.size, point.x.end() - given.x.size);
  std::copy_n(given.y.buffer, given.y.size, point.y.end() - given.y.size);
  return point;
}

}  // namespace zkv::tpm
