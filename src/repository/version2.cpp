// Reading and writing version 2 files in memory.
#include "repository/version2.h"

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "repository/body.h"

namespace zkv::repository {

namespace {

constexpr std::size_t kMostPassphraseSlots = 8;

struct Parts {
  Outside outside;
  std::span<const std::uint8_t> associated;  ///< header and slots as they stand
  crypto::AeadNonce nonce{};
  std::span<const std::uint8_t> sealed;
};

Error damaged() {
  return Error::corrupt("the repository file is damaged or was changed")
      .remedy("put back the previous generation, kept beside it with the ending .previous, or a backup");
}

SecretBytes body_key(const Version2& repository) {
  return crypto::hkdf_sha256(repository.repository_key.span(), repository.outside.header.id,
                             "zkv repository 2 body", crypto::kAeadKeySize);
}

Result<std::vector<Slot>> read_slots(std::span<const std::uint8_t> bytes, std::size_t number) {
  if (number > kMostSlots) return damaged();
  std::vector<Slot> slots;
  ByteReader reader(bytes);
  for (std::size_t i = 0; i < number; ++i) {
    ZKV_TRY(auto slot, read_slot(reader));
    slots.push_back(std::move(slot));
  }
  if (!reader.at_end()) return damaged();
  return slots;
}

Result<Parts> take_apart(std::span<const std::uint8_t> file) {
  ByteReader reader(file);
  const auto magic = reader.take(kMagic.size());
  const auto version = reader.number<std::uint16_t>();
  if (reader.failed() || !std::equal(magic.begin(), magic.end(), kMagic.begin())) return damaged();
  if (version != kFormatVersion) {
    return Error::unsupported("the repository has format version " + std::to_string(version) +
                              ", and this zkv knows version " + std::to_string(kFormatVersion))
        .remedy("use a later zkv");
  }
  Parts parts;
  Header& header = parts.outside.header;
  const auto slot_number = reader.number<std::uint16_t>();
  const auto slot_bytes = reader.number<std::uint32_t>();
  header.id = reader.array<sizeof(RepositoryId)>();
  header.generation = reader.number<std::uint64_t>();
  const auto written = reader.number<std::uint64_t>();
  const auto slots = reader.take(slot_bytes);
  parts.nonce = reader.array<crypto::kAeadNonceSize>();
  if (reader.failed() || written > kLatestTime || reader.rest().size() < crypto::kAeadTagSize) {
    return damaged();
  }
  header.written = Time(std::chrono::milliseconds(written));
  ZKV_TRY(parts.outside.slots, read_slots(slots, slot_number));
  parts.associated = file.first(kHeaderSize + slot_bytes);
  parts.sealed = reader.rest();
  return parts;
}

struct FoundKey {
  SecretBytes key;
  std::uint32_t slot = 0;
};

/// The repository key from the first slot of those that `fits` picks which opens; the last failure that says
/// more than "wrong key" otherwise.
template <class Fits>
Result<FoundKey> try_slots(const Outside& outside, const SecretBytes& secret, Fits&& fits) {
  Error failure = Error::wrong_key("the key opens none of the repository's slots")
                      .remedy("'zkv slot list' shows which slots there are");
  for (const Slot& slot : outside.slots) {
    if (!fits(slot)) continue;
    auto key = unwrap_key(slot, outside.header.id, secret);
    if (key && key->size() == kRepositoryKeySize) return FoundKey{std::move(*key), slot.id};
    if (!key && key.error().kind() != ErrorKind::kWrongKey) failure = key.error();
  }
  return failure;
}

Result<FoundKey> find_repository_key(const Outside& outside, const SecretBytes& secret) {
  auto quick =
      try_slots(outside, secret, [](const Slot& slot) { return slot.type != SlotType::kPassphrase; });
  if (quick || quick.error().kind() != ErrorKind::kWrongKey) return quick;
  std::size_t tried = 0;
  return try_slots(outside, secret, [&tried](const Slot& slot) {
    return slot.type == SlotType::kPassphrase && ++tried <= kMostPassphraseSlots;
  });
}

Result<FoundKey> find_repository_key(const Outside& outside, const GatewayId& gateway,
                                     const SecretBytes& shares) {
  const auto is_its = [&](const Slot& slot) { return gateway_of(slot) == gateway; };
  if (std::none_of(outside.slots.begin(), outside.slots.end(), is_its)) {
    return Error::not_found("the repository has no slot of this gateway")
        .remedy("enrol again, with a new link from 'zkvgateway host invite'");
  }
  return try_slots(outside, shares, is_its);
}

/// The rest of opening, once the repository key is there.
Result<Version2> open_body(Parts parts, FoundKey found) {
  Version2 repository;
  repository.repository_key = std::move(found.key);
  repository.opened_by = found.slot;
  repository.outside = std::move(parts.outside);
  const auto body = crypto::open(body_key(repository).span(), parts.nonce, parts.associated, parts.sealed);
  if (!body) return damaged();
  ZKV_TRY(repository.keys, read_body(*body));
  return repository;
}

Bytes write_head(const Outside& outside) {
  Bytes slots;
  for (const Slot& slot : outside.slots) append_slot(slots, slot);
  Bytes out(kMagic.begin(), kMagic.end());
  append_number(out, kFormatVersion);
  append_number(out, static_cast<std::uint16_t>(outside.slots.size()));
  append_number(out, static_cast<std::uint32_t>(slots.size()));
  append_bytes(out, outside.header.id);
  append_number(out, outside.header.generation);
  append_number(out, static_cast<std::uint64_t>(outside.header.written.time_since_epoch().count()));
  append_bytes(out, slots);
  return out;
}

}  // namespace

bool is_version2(std::span<const std::uint8_t> file) {
  return file.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), file.begin());
}

Result<Outside> read_outside(std::span<const std::uint8_t> file) {
  ZKV_TRY(auto parts, take_apart(file));
  return std::move(parts.outside);
}

Result<Version2> open_version2(std::span<const std::uint8_t> file, const SecretBytes& secret) {
  ZKV_TRY(auto parts, take_apart(file));
  ZKV_TRY(auto key, find_repository_key(parts.outside, secret));
  return open_body(std::move(parts), std::move(key));
}

Result<Version2> open_version2_by_gateway(std::span<const std::uint8_t> file, const GatewayId& gateway,
                                          const SecretBytes& shares) {
  ZKV_TRY(auto parts, take_apart(file));
  ZKV_TRY(auto key, find_repository_key(parts.outside, gateway, shares));
  return open_body(std::move(parts), std::move(key));
}

Version2 new_version2() {
  Version2 repository;
  crypto::fill_random(repository.outside.header.id);
  repository.repository_key = crypto::random_secret(kRepositoryKeySize);
  return repository;
}

Bytes write_version2(const Version2& repository) {
  Bytes file = write_head(repository.outside);
  const auto nonce = crypto::random_nonce();
  const Bytes sealed =
      crypto::seal(body_key(repository).span(), nonce, file, write_body(repository.keys).span());
  append_bytes(file, nonce);
  append_bytes(file, sealed);
  return file;
}

}  // namespace zkv::repository
