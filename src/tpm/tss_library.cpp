// Loads libtss2-esys, libtss2-tctildr and libtss2-mu by dlopen.
#include "tpm/tss_library.h"

#include <dlfcn.h>

#include <cstdlib>

namespace zkv::tpm {

namespace {

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool find_transport(void* library, TssLibrary& tss) {
  return find(library, "Tss2_TctiLdr_Initialize_Ex", tss.open_transport) &&
         find(library, "Tss2_TctiLdr_Finalize", tss.close_transport);
}

bool find_commands(void* library, TssLibrary& tss) {
  return find(library, "Esys_Initialize", tss.initialize) && find(library, "Esys_Finalize", tss.finalize) &&
         find(library, "Esys_Free", tss.free) && find(library, "Esys_CreatePrimary", tss.create_primary) &&
         find(library, "Esys_TR_GetName", tss.get_name) &&
         find(library, "Esys_StartAuthSession", tss.start_session) &&
         find(library, "Esys_TRSess_SetAttributes", tss.set_session_attributes) &&
         find(library, "Esys_Create", tss.create) && find(library, "Esys_Load", tss.load) &&
         find(library, "Esys_Sign", tss.sign) && find(library, "Esys_Unseal", tss.unseal) &&
         find(library, "Esys_FlushContext", tss.flush);
}

bool find_forms(void* library, TssLibrary& tss) {
  return find(library, "Tss2_MU_TPM2B_PUBLIC_Marshal", tss.write_public) &&
         find(library, "Tss2_MU_TPM2B_PUBLIC_Unmarshal", tss.read_public) &&
         find(library, "Tss2_MU_TPM2B_PRIVATE_Marshal", tss.write_private) &&
         find(library, "Tss2_MU_TPM2B_PRIVATE_Unmarshal", tss.read_private);
}

Result<TssLibrary> load() {
  ::setenv("TSS2_LOG", "all+none", 0);
  void* transport = ::dlopen("libtss2-tctildr.so.0", RTLD_NOW | RTLD_LOCAL);
  void* commands = ::dlopen("libtss2-esys.so.0", RTLD_NOW | RTLD_LOCAL);
  void* forms = ::dlopen("libtss2-mu.so.0", RTLD_NOW | RTLD_LOCAL);
  TssLibrary tss;
  const bool is_there = transport != nullptr && commands != nullptr && forms != nullptr &&
                        find_transport(transport, tss) && find_commands(commands, tss) &&
                        find_forms(forms, tss);
  if (is_there) return tss;
  return Error::unsupported("the libraries for the TPM (tpm2-tss) cannot be loaded")
      .remedy(
          "install the packages libtss2-esys-3.0.2-0, libtss2-mu0, libtss2-tctildr0 and "
          "libtss2-tcti-device0");
}

}  // namespace

Result<const TssLibrary*> tss_library() {
  static const Result<TssLibrary> library = load();
  if (!library) return Error(library.error());
  return &*library;
}

}  // namespace zkv::tpm
