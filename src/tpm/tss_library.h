// tpm2-tss's functions, found by name at first use, so that a host without an identity in a TPM never loads
// it.
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "base/result.h"

namespace zkv::tpm {

/// One pointer for each function of tpm2-tss that this room calls.
struct TssLibrary {
  decltype(&::Tss2_TctiLdr_Initialize_Ex) open_transport = nullptr;
  decltype(&::Tss2_TctiLdr_Finalize) close_transport = nullptr;
  decltype(&::Esys_Initialize) initialize = nullptr;
  decltype(&::Esys_Finalize) finalize = nullptr;
  decltype(&::Esys_Free) free = nullptr;
  decltype(&::Esys_CreatePrimary) create_primary = nullptr;
  decltype(&::Esys_TR_GetName) get_name = nullptr;
  decltype(&::Esys_StartAuthSession) start_session = nullptr;
  decltype(&::Esys_TRSess_SetAttributes) set_session_attributes = nullptr;
  decltype(&::Esys_Create) create = nullptr;
  decltype(&::Esys_Load) load = nullptr;
  decltype(&::Esys_Sign) sign = nullptr;
  decltype(&::Esys_Unseal) unseal = nullptr;
  decltype(&::Esys_FlushContext) flush = nullptr;
  decltype(&::Tss2_MU_TPM2B_PUBLIC_Marshal) write_public = nullptr;
  decltype(&::Tss2_MU_TPM2B_PUBLIC_Unmarshal) read_public = nullptr;
  decltype(&::Tss2_MU_TPM2B_PRIVATE_Marshal) write_private = nullptr;
  decltype(&::Tss2_MU_TPM2B_PRIVATE_Unmarshal) read_private = nullptr;
};

/// The libraries, loaded by the first call of the process and kept to its end. What they would write to
/// stderr is kept quiet unless TSS2_LOG asks for it. Errors: kUnsupported when they are not installed.
Result<const TssLibrary*> tss_library();

}  // namespace zkv::tpm
