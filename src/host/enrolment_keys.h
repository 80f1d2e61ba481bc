// What of an enrolment is secret: the host's identity and its half of the slot's key, in a file or in a TPM.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "protocol/host_identity.h"

namespace zkv::host {

struct EnrolmentKeys {
  std::unique_ptr<protocol::Signer> identity;
  SecretBytes local_share;  ///< protocol::kShareSize bytes
};

/// A new Ed25519 key and share, kept in the file at `path`, mode 0600. Errors: kIo.
Result<EnrolmentKeys> make_file_keys(const std::filesystem::path& path);
/// Errors: kNotFound, kDenied (readable by others), as load_private_file().
Result<EnrolmentKeys> load_file_keys(const std::filesystem::path& path);

/// A new P-256 key and share in the TPM at `device`, as tpm::Tpm::open() takes it. The file at `path`, mode
/// 0600, holds what that TPM needs to use them again, and is of no use to another.
/// Errors: those of tpm::Tpm; kIo.
Result<EnrolmentKeys> make_tpm_keys(const std::filesystem::path& path, const std::string& device);
/// Whether that file is there and whole. Errors: kNotFound, kCorrupt, kIo.
Result<> check_tpm_file(const std::filesystem::path& path);
/// Errors: those of tpm::Tpm, kWrongKey where another made them; kNotFound, kCorrupt, kIo.
Result<EnrolmentKeys> load_tpm_keys(const std::filesystem::path& path, const std::string& device);

}  // namespace zkv::host
