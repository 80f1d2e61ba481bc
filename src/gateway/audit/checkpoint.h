// Signed checkpoints of the audit log: up to here the gateway vouches for every row, so that whoever can
// write the database, but does not have the gateway's key, can change nothing before the newest of them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/signature.h"

namespace zkv::gateway::audit {

/// A checkpoint is the detail of a row of its own, of this kind, which follows on the row that it names.
inline constexpr std::string_view kCheckpointKind = "audit.checkpoint";

struct Checkpoint {
  std::uint64_t number = 0;  ///< of the last row that it vouches for
  crypto::Sha256 hash{};     ///< of that row
  Time at;
};

/// A signed envelope in JSON (protocol/envelope.h).
std::string seal(const Checkpoint& checkpoint, const crypto::SigningKey& key);
/// Errors: kCorrupt when it is no checkpoint, or not signed by that key.
Result<Checkpoint> open_checkpoint(std::string_view envelope, const crypto::VerifyingKey& key);
/// The newest checkpoint, which the gateway keeps in a file beside its database; none when there is no such
/// file. Errors: as open_checkpoint(), naming the file; kIo.
Result<std::optional<Checkpoint>> load_checkpoint(const std::filesystem::path& file,
                                                  const crypto::VerifyingKey& key);

}  // namespace zkv::gateway::audit
