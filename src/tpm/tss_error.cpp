// Layers and formats of response codes: TPM 2.0 Library, Part 2, 6.6; TSS 2.0 Overview, 3.11.
#include "tpm/tss_error.h"

#include <tss2/tss2_tpm2_types.h>

#include <array>
#include <cstdio>

namespace zkv::tpm {

namespace {

/// A code of the TPM itself, whoever passed it on, without the number of the parameter that it is about.
TSS2_RC tpm_code(TSS2_RC code) {
  const TSS2_RC layer = code & TSS2_RC_LAYER_MASK;
  const bool is_from_tpm =
      layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER || layer == TSS2_RESMGR_RC_LAYER;
  if (!is_from_tpm) return 0;
  const TSS2_RC bare = code & ~TSS2_RC_LAYER_MASK;
  constexpr TSS2_RC kFormatOneMask = TPM2_RC_FMT1 | 0x3f;
  return (bare & TPM2_RC_FMT1) != 0 ? bare & kFormatOneMask : bare;
}

bool is_of_tss(TSS2_RC code, TSS2_RC base) {
  return tpm_code(code) == 0 && (code & ~TSS2_RC_LAYER_MASK) == base;
}

std::string hex(TSS2_RC code) {
  std::array<char, 16> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "0x%x", code));
  return text.data();
}

Error full(const std::string& failed) {
  return Error::unavailable(failed + ": it has no room for another key or session")
      .remedy("another program may hold it; use /dev/tpmrm0, where each program has a room of its own");
}

}  // namespace

bool is_passing(TSS2_RC code) {
  switch (tpm_code(code)) {
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_NV_RATE:
    case TPM2_RC_CANCELED:
      return true;
    default:
      return is_of_tss(code, TSS2_BASE_RC_TRY_AGAIN);
  }
}

Error of_another_tpm() {
  return Error::wrong_key(
             "this enrolment was made by the TPM of another machine, or this TPM was cleared since")
      .remedy("enrol this machine anew, with a link from 'zkvgateway host invite'");
}

Error error_of(TSS2_RC code, const std::string& doing) {
  const std::string failed = "the TPM failed at " + doing;
  if (is_passing(code)) {
    return Error::unavailable(failed + ": it is busy (" + hex(code) + ")").remedy("try again in a minute");
  }
  switch (tpm_code(code)) {
    case TPM2_RC_LOCKOUT:
      return Error::unavailable(failed + ": it is locked, after wrong passwords for something else in it")
          .remedy("wait until it lets go, or 'tpm2_dictionarylockout --clear-lockout'");
    case TPM2_RC_AUTH_FAIL:
    case TPM2_RC_BAD_AUTH:
      return Error::denied(failed + ": its owner hierarchy has a password")
          .remedy("take that away: tpm2_changeauth --object-context owner --object-auth PASSWORD");
    case TPM2_RC_HIERARCHY:
      return Error::denied(failed + ": its owner hierarchy is switched off")
          .remedy("switch the TPM's storage hierarchy on in the machine's firmware set-up");
    case TPM2_RC_INTEGRITY:
      return of_another_tpm();
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_SESSION_MEMORY:
    case TPM2_RC_MEMORY:
    case TPM2_RC_OBJECT_HANDLES:
    case TPM2_RC_SESSION_HANDLES:
      return full(failed);
    default:
      break;
  }
  if (is_of_tss(code, TSS2_BASE_RC_IO_ERROR) || is_of_tss(code, TSS2_BASE_RC_NO_CONNECTION)) {
    return Error::unavailable(failed + ": it went away")
        .remedy("try again; 'dmesg' may say what happened to it");
  }
  if (is_of_tss(code, TSS2_BASE_RC_RSP_AUTH_FAILED) || is_of_tss(code, TSS2_BASE_RC_MALFORMED_RESPONSE)) {
    return Error::denied(failed + ": its answer was changed on the way")
        .remedy("something sits between this program and the TPM");
  }
  return Error::io(failed + ": code " + hex(code))
      .remedy("'tpm2_rc_decode " + hex(code) + "' (package tpm2-tools) says what the TPM means");
}

}  // namespace zkv::tpm
