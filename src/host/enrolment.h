// The gateways that this host is enrolled with: what it knows of each, in files beside the repository.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/hash.h"
#include "host/enrolment_keys.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"
#include "repository/volume_keys.h"

namespace zkv::host {

/// An enrolment whose place another takes.
struct Predecessor {
  protocol::KeyId host{};
  std::uint32_t slot = 0;  ///< its slot in the repository
};

/// Nothing in it is secret.
struct Enrolment {
  std::string address;  ///< of the gateway, without a slash at its end
  protocol::KeyId gateway{};
  protocol::KeyId host{};
  std::optional<crypto::Sha256> certificate;  ///< the pin of a certificate that is signed by itself
  std::string name;                           ///< what the gateway calls this host
  protocol::RepositoryId repository{};
  std::uint32_t slot = 0;  ///< the gateway's slot in the repository; 0 before there is one
  bool in_tpm = false;     ///< where its keys are
  /// Whose share the gateway is to destroy, once it hears that this one stands.
  std::optional<Predecessor> predecessor = std::nullopt;
};

/// An enrolment that was sent and not yet answered: sent again as it is, it gives the same answer.
struct PendingEnrolment {
  Enrolment enrolment;
  crypto::Sha256 invite{};  ///< SHA-256 of the invite's token
  std::string envelope;     ///< as it was sent
};

/// Where new keys are made.
struct KeyPlace {
  std::optional<std::string> tpm;  ///< the TPM's device, as tpm::Tpm::open() takes it; none: a file
};

/// The folder REPOSITORY.enrolments: GATEWAY.json for each gateway, HOST.key (identity and local share) or
/// HOST.tpm (what the TPM needs for them) for each identity, "volumes.json", and "pending.json". Errors not
/// said: kIo; kCorrupt for a file that is not what it should be.
class EnrolmentFolder {
 public:
  explicit EnrolmentFolder(const std::filesystem::path& repository);

  /// All of this host, in the order of their addresses; none when there is no folder.
  [[nodiscard]] Result<std::vector<Enrolment>> all() const;
  [[nodiscard]] Result<std::optional<Enrolment>> with(const protocol::KeyId& gateway) const;
  /// `tpm` is the TPM's device, for an enrolment whose keys are in one. Errors: also those of
  /// load_file_keys() or load_tpm_keys().
  [[nodiscard]] Result<EnrolmentKeys> keys_of(const Enrolment& enrolment, const std::string& tpm) const;

  /// Whether what its keys need is there, without asking a TPM. Errors: as keys_of().
  [[nodiscard]] Result<> check_keys(const Enrolment& enrolment) const;

  /// New keys, which are kept from now on. Errors: also those of make_tpm_keys().
  [[nodiscard]] Result<EnrolmentKeys> make_keys(const KeyPlace& place) const;
  [[nodiscard]] Result<> store(const Enrolment& enrolment) const;
  /// Idempotent, as is forget_keys().
  [[nodiscard]] Result<> forget(const protocol::KeyId& gateway) const;
  [[nodiscard]] Result<> forget_keys(const protocol::KeyId& host) const;
  /// Removes keys that belong to no enrolment, neither one that stands nor one that was begun: what was cut
  /// off has left them.
  [[nodiscard]] Result<> forget_stray_keys() const;
  /// Removes the folder when there is no enrolment in it: by it zfs-keyvault.service sees that there is
  /// somebody to ask.
  void clear_if_unused() const;

  /// The names of the repository's volumes, which nobody can read in it without a key: kept here for what
  /// approvers are shown. Does nothing where there is no enrolment. Names beyond a message's limits are left
  /// out.
  [[nodiscard]] Result<> store_volumes(const repository::VolumeKeys& keys) const;
  [[nodiscard]] Result<std::vector<std::string>> volumes() const;
  /// Whether nobody but its owner can write or enter it; success where there is none. Errors: kDenied.
  [[nodiscard]] Result<> check_mode() const;

  [[nodiscard]] Result<std::optional<PendingEnrolment>> pending() const;
  [[nodiscard]] Result<> store_pending(const PendingEnrolment& pending) const;
  [[nodiscard]] Result<> forget_pending() const;

 private:
  [[nodiscard]] std::filesystem::path file_of(const protocol::KeyId& gateway) const;
  [[nodiscard]] std::filesystem::path key_file_of(const protocol::KeyId& host, bool in_tpm) const;
  [[nodiscard]] Result<> make_folder() const;

  std::filesystem::path folder_;
};

}  // namespace zkv::host
