// One slot: a wrapped copy of the repository key, and how each type derives the key that wraps it.
// Bytes and derivations are those of docs/repository-format.md, "Slots" and "Keys".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"
#include "crypto/kdf.h"
#include "repository/byte_order.h"

namespace zkv::repository {

using RepositoryId = std::array<std::uint8_t, 16>;
/// SHA-256 of the gateway's signing key: docs/protocol-v2.md, "Keys and shares".
using GatewayId = std::array<std::uint8_t, 32>;

/// The number is what the file holds; a number that is not named here is kept, and opens nothing.
enum class SlotType : std::uint16_t { kRecovery = 1, kClassic = 2, kPassphrase = 3, kGateway = 4 };

/// What opens a gateway slot: the vault share and the local share, one after the other.
inline constexpr std::size_t kShareSize = 32;
SecretBytes join_shares(const SecretBytes& vault_share, const SecretBytes& local_share);

/// The word of the type as commands say it; "type 9" for an unknown one.
std::string to_text(SlotType type);
/// Whether slots of the type open with what a person or a vault gives, without a gateway.
bool is_usable(SlotType type);

struct Slot {
  std::uint32_t id = 0;
  SlotType type = SlotType::kRecovery;
  Time created;
  std::string label;
  Bytes parameters;  ///< records; empty for recovery and classic
  Bytes wrapped;     ///< nonce and sealed repository key
};

inline constexpr std::size_t kMostSlots = 64;
inline constexpr std::size_t kLongestLabel = 255;
inline constexpr std::size_t kRepositoryKeySize = 32;

/// What the passphrase of a slot costs; nothing unless its parameters hold exactly such.
std::optional<crypto::Argon2Cost> passphrase_cost(const Slot& slot);
/// The cost for new passphrase slots on this machine: 3 passes over 256 MiB, or over an eighth of the memory
/// where that is less (64 MiB at least).
crypto::Argon2Cost default_cost();

/// The parameters of a slot for this gateway, and the gateway of a slot; nothing unless it is a sound gateway
/// slot.
Bytes gateway_parameters(const GatewayId& gateway);
std::optional<GatewayId> gateway_of(const Slot& slot);

/// The highest number among them; 0 where there is none.
std::uint32_t highest_slot(const std::vector<Slot>& slots);

/// The slot as it stands in the file.
void append_slot(Bytes& out, const Slot& slot);
/// Errors: kCorrupt.
Result<Slot> read_slot(ByteReader& reader);

/// Fills in parameters (of a gateway slot they are given) and wrapped key of `slot`, whose other members are
/// set. `secret` is the text a person or vault gives later, or the joined shares. Errors: kInvalid (the
/// secret has not the form of the type, or the cost is out of bounds), kUnsupported (a type this program
/// cannot wrap for), kUnavailable (memory).
Result<> wrap_key(Slot& slot, const RepositoryId& repository, const SecretBytes& repository_key,
                  const SecretBytes& secret, const crypto::Argon2Cost& cost);

/// The repository key. Errors: kWrongKey; kCorrupt (a cost outside what is bearable); kUnavailable (memory).
Result<SecretBytes> unwrap_key(const Slot& slot, const RepositoryId& repository, const SecretBytes& secret);

}  // namespace zkv::repository
