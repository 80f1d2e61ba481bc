// Slots: their bytes, and the key that wraps the repository key in each type of them.
#include "repository/slot.h"

#include <unistd.h>

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/random.h"
#include "repository/header.h"
#include "repository/key_text.h"

namespace zkv::repository {

namespace {

enum PassphraseTag : std::uint16_t { kSalt = 1, kPasses = 2, kMemoryKib = 3 };
enum GatewayTag : std::uint16_t { kGatewayId = 1 };

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kWrappedSize = crypto::kAeadNonceSize + kRepositoryKeySize + crypto::kAeadTagSize;
constexpr std::uint32_t kMostPasses = 64;
constexpr std::uint32_t kMostMemoryKib = 1024 * 1024;
/// Passes times MiB: bounds the time that a hostile file can make us spend on one slot.
constexpr std::uint64_t kMostWork = 8192;

std::uint64_t physical_memory_kib() {
  const auto pages = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 1L));
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

bool is_bearable(const crypto::Argon2Cost& cost) {
  return cost.passes >= 1 && cost.passes <= kMostPasses && cost.memory_kib >= 8 &&
         cost.memory_kib <= kMostMemoryKib &&
         std::uint64_t{cost.passes} * (cost.memory_kib / 1024) <= kMostWork;
}

struct PassphraseParameters {
  std::array<std::uint8_t, kSaltSize> salt{};
  crypto::Argon2Cost cost;
};

Bytes to_bytes(const PassphraseParameters& parameters) {
  Bytes out;
  append_record(out, kSalt, parameters.salt);
  append_record(out, kPasses, to_little_endian(parameters.cost.passes));
  append_record(out, kMemoryKib, to_little_endian(parameters.cost.memory_kib));
  return out;
}

std::optional<PassphraseParameters> read_parameters(std::span<const std::uint8_t> bytes) {
  ByteReader reader(bytes);
  const auto salt = take_record(reader);
  const auto passes = take_record(reader);
  const auto memory = take_record(reader);
  const bool sound = salt && passes && memory && reader.at_end() && salt->tag == kSalt &&
                     salt->value.size() == kSaltSize && passes->tag == kPasses && passes->value.size() == 4 &&
                     memory->tag == kMemoryKib && memory->value.size() == 4;
  if (!sound) return std::nullopt;
  return PassphraseParameters{ByteReader(salt->value).array<kSaltSize>(),
                              {.passes = ByteReader(passes->value).number<std::uint32_t>(),
                               .memory_kib = ByteReader(memory->value).number<std::uint32_t>()}};
}

std::string_view purpose(SlotType type) {
  switch (type) {
    case SlotType::kRecovery:
      return "zkv repository 2 recovery slot";
    case SlotType::kClassic:
      return "zkv repository 2 classic slot";
    case SlotType::kPassphrase:
      return "zkv repository 2 passphrase slot";
    case SlotType::kGateway:
      break;
  }
  return {};
}

/// Of a gateway slot: bound to its one gateway.
std::string purpose_for(const GatewayId& gateway) {
  return "zkv repository 2 gateway slot" + std::string(gateway.begin(), gateway.end());
}

Result<SecretBytes> key_of_shares(const Slot& slot, const RepositoryId& repository,
                                  const SecretBytes& shares) {
  const auto gateway = gateway_of(slot);
  if (!gateway || shares.size() != 2 * kShareSize) {
    return Error::wrong_key("slot " + std::to_string(slot.id) +
                            " opens with the shares of host and gateway only");
  }
  return crypto::hkdf_sha256(shares.span(), repository, purpose_for(*gateway), crypto::kAeadKeySize);
}

Result<SecretBytes> stretch_passphrase(const Slot& slot, const SecretBytes& passphrase) {
  const auto parameters = read_parameters(slot.parameters);
  if (!parameters || !is_bearable(parameters->cost)) {
    return Error::corrupt("slot " + std::to_string(slot.id) + " asks for an unbearable passphrase cost");
  }
  if (parameters->cost.memory_kib > physical_memory_kib() / 2) {
    return Error::unavailable("slot " + std::to_string(slot.id) + " needs " +
                              std::to_string(parameters->cost.memory_kib / 1024) +
                              " MiB for its passphrase, more than half of this machine's memory")
        .remedy("use the recovery key here");
  }
  return crypto::argon2id(passphrase.span(), parameters->salt, parameters->cost);
}

/// The key that wraps the repository key in `slot`.
Result<SecretBytes> wrapping_key(const Slot& slot, const RepositoryId& repository,
                                 const SecretBytes& secret) {
  if (slot.type == SlotType::kGateway) return key_of_shares(slot, repository, secret);
  SecretBytes input;
  if (slot.type == SlotType::kPassphrase) {
    ZKV_TRY(input, stretch_passphrase(slot, secret));
  } else {
    ZKV_TRY(input, key_from_text(secret));
  }
  return crypto::hkdf_sha256(input.span(), repository, purpose(slot.type), crypto::kAeadKeySize);
}

/// All of the slot before its wrapped key.
void append_slot_head(Bytes& out, const Slot& slot) {
  append_number(out, slot.id);
  append_number(out, static_cast<std::uint16_t>(slot.type));
  append_number(out, static_cast<std::uint64_t>(slot.created.time_since_epoch().count()));
  append_number(out, static_cast<std::uint16_t>(slot.label.size()));
  append_bytes(out, bytes_of(slot.label));
  append_number(out, static_cast<std::uint16_t>(slot.parameters.size()));
  append_bytes(out, slot.parameters);
}

Bytes associated_data(const Slot& slot, const RepositoryId& repository) {
  Bytes out(kMagic.begin(), kMagic.end());
  append_number(out, kFormatVersion);
  append_bytes(out, repository);
  append_slot_head(out, slot);
  return out;
}

}  // namespace

std::string to_text(SlotType type) {
  switch (type) {
    case SlotType::kRecovery:
      return "recovery";
    case SlotType::kClassic:
      return "classic";
    case SlotType::kPassphrase:
      return "passphrase";
    case SlotType::kGateway:
      return "gateway";
  }
  return "type " + std::to_string(static_cast<unsigned>(type));
}

bool is_usable(SlotType type) { return !purpose(type).empty(); }

SecretBytes join_shares(const SecretBytes& vault_share, const SecretBytes& local_share) {
  SecretBuilder both;
  both.append(vault_share.span());
  both.append(local_share.span());
  return both.take();
}

Bytes gateway_parameters(const GatewayId& gateway) {
  Bytes out;
  append_record(out, kGatewayId, gateway);
  return out;
}

std::optional<GatewayId> gateway_of(const Slot& slot) {
  ByteReader reader(slot.parameters);
  const auto id = take_record(reader);
  const bool sound = slot.type == SlotType::kGateway && id && reader.at_end() && id->tag == kGatewayId &&
                     id->value.size() == sizeof(GatewayId);
  if (!sound) return std::nullopt;
  return ByteReader(id->value).array<sizeof(GatewayId)>();
}

std::optional<crypto::Argon2Cost> passphrase_cost(const Slot& slot) {
  const auto parameters = read_parameters(slot.parameters);
  if (slot.type != SlotType::kPassphrase || !parameters) return std::nullopt;
  return parameters->cost;
}

crypto::Argon2Cost default_cost() {
  const std::uint64_t affordable = std::max<std::uint64_t>(physical_memory_kib() / 8, 65'536);
  return {.passes = 3,
          .memory_kib = static_cast<std::uint32_t>(std::min<std::uint64_t>(affordable, 262'144))};
}

std::uint32_t highest_slot(const std::vector<Slot>& slots) {
  std::uint32_t highest = 0;
  for (const Slot& slot : slots) highest = std::max(highest, slot.id);
  return highest;
}

void append_slot(Bytes& out, const Slot& slot) {
  append_slot_head(out, slot);
  append_number(out, static_cast<std::uint16_t>(slot.wrapped.size()));
  append_bytes(out, slot.wrapped);
}

Result<Slot> read_slot(ByteReader& reader) {
  Slot slot;
  slot.id = reader.number<std::uint32_t>();
  slot.type = static_cast<SlotType>(reader.number<std::uint16_t>());
  const auto created = reader.number<std::uint64_t>();
  const auto label = reader.take(reader.number<std::uint16_t>());
  const auto parameters = reader.take(reader.number<std::uint16_t>());
  const auto wrapped = reader.take(reader.number<std::uint16_t>());
  if (reader.failed() || label.size() > kLongestLabel || created > kLatestTime) {
    return Error::corrupt("a slot is damaged");
  }
  slot.created = Time(std::chrono::milliseconds(created));
  slot.label.assign(label.begin(), label.end());
  slot.parameters.assign(parameters.begin(), parameters.end());
  slot.wrapped.assign(wrapped.begin(), wrapped.end());
  return slot;
}

Result<> wrap_key(Slot& slot, const RepositoryId& repository, const SecretBytes& repository_key,
                  const SecretBytes& secret, const crypto::Argon2Cost& cost) {
  if (!is_usable(slot.type) && !gateway_of(slot)) {
    return Error::unsupported("cannot make a slot of " + to_text(slot.type));
  }
  if (slot.label.size() > kLongestLabel) return Error::invalid("a slot's label has at most 255 bytes");
  if (secret.empty()) return Error::invalid("the secret of a slot cannot be empty");
  if (slot.type == SlotType::kPassphrase) {
    PassphraseParameters parameters{.salt = {}, .cost = cost};
    if (!is_bearable(cost)) return Error::invalid("the passphrase cost is out of bounds");
    crypto::fill_random(parameters.salt);
    slot.parameters = to_bytes(parameters);
  }
  ZKV_TRY(const auto key, wrapping_key(slot, repository, secret));
  const auto nonce = crypto::random_nonce();
  slot.wrapped.assign(nonce.begin(), nonce.end());
  append_bytes(slot.wrapped,
               crypto::seal(key.span(), nonce, associated_data(slot, repository), repository_key.span()));
  return {};
}

Result<SecretBytes> unwrap_key(const Slot& slot, const RepositoryId& repository, const SecretBytes& secret) {
  const bool is_known = is_usable(slot.type) || slot.type == SlotType::kGateway;
  if (!is_known || slot.wrapped.size() != kWrappedSize) {
    return Error::wrong_key("slot " + std::to_string(slot.id) + " does not open with a key alone");
  }
  auto key = wrapping_key(slot, repository, secret);
  if (!key && key.error().kind() == ErrorKind::kInvalid) return Error::wrong_key(key.error().message());
  if (!key) return std::move(key).error();
  ByteReader reader(slot.wrapped);
  const crypto::AeadNonce nonce = reader.array<crypto::kAeadNonceSize>();
  return crypto::open(key->span(), nonce, associated_data(slot, repository), reader.rest());
}

}  // namespace zkv::repository
