// Blobs to the structures of tpm2-tss and back.
#pragma once

#include "tpm/tpm.h"

namespace zkv::tpm {

Result<Blob> to_blob(const TssLibrary& tss, const TPM2B_PUBLIC& public_area,
                     const TPM2B_PRIVATE& private_area);
/// Errors: kCorrupt unless all of the bytes are one such structure.
Result<TPM2B_PUBLIC> public_of(const TssLibrary& tss, const Blob& blob);
Result<TPM2B_PRIVATE> private_of(const TssLibrary& tss, const Blob& blob);

}  // namespace zkv::tpm
