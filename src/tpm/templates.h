// What is made in the TPM: the public areas that say so. Source: TPM 2.0 Library, Part 2, 12.2.4.
#pragma once

#include <tss2/tss2_tpm2_types.h>

namespace zkv::tpm {

/// The storage key of the owner hierarchy that all is made under: the same at each time in the same TPM.
/// Source: TCG EK Credential Profile, template L-2, with the attributes of the TCG's provisioning guidance
/// for a storage root key.
TPM2B_PUBLIC storage_root();
/// A P-256 key that signs digests by ECDSA, is born in the TPM and never leaves it.
TPM2B_PUBLIC signing_key();
/// Bytes that only this TPM gives back.
TPM2B_PUBLIC sealed_bytes();

}  // namespace zkv::tpm
