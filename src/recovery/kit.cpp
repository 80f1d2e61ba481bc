// Slot first, then a trial by the words themselves.
#include "recovery/kit.h"

#include <unistd.h>

#include <array>

#include "base/encoding.h"
#include "crypto/fernet.h"
#include "crypto/random.h"
#include "recovery/kit_reader.h"
#include "repository/change.h"
#include "repository/repository.h"

namespace zkv::recovery {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

/// As many parts as are needed, through the same words that are printed; the last ones, which are the
/// computed ones.
Result<> try_words(const std::filesystem::path& repository, const Kit& kit) {
  KitReader reader;
  for (std::size_t i = kit.parts.size() - kit.scheme.threshold; i < kit.parts.size(); ++i) {
    ZKV_CHECK(reader.add(write_part(kit.parts[i]).view()));
  }
  ZKV_TRY(const auto key, reader.key());
  ZKV_TRY(const auto tried, repository::try_key(repository, key));
  if (tried.slot.id == kit.slot) return {};
  return Error::internal("the new kit opens another slot than its own");
}

/// What is left once the slot is there.
Result<> finish(const std::filesystem::path& repository, Kit& kit) {
  ZKV_TRY(const auto description, repository::describe(repository));
  if (description.outside) kit.repository_id = to_hex(description.outside->header.id);
  return try_words(repository, kit);
}

}  // namespace

Result<Kit> make_kit(const std::filesystem::path& repository, const SecretBytes& key, const Scheme& scheme) {
  const auto secret = crypto::random_secret(crypto::kFernetKeySize);
  Kit kit;
  kit.scheme = scheme;
  ZKV_TRY(kit.parts, split(secret, scheme));
  kit.number = kit.parts.front().mark.number;
  kit.machine = host_name();
  kit.repository = std::filesystem::absolute(repository).string();
  kit.made = now();
  ZKV_TRY(kit.slot, repository::add_slot(repository, key,
                                         {.type = repository::SlotType::kRecovery,
                                          .label = label_of(kit),
                                          .secret = crypto::fernet_key_to_text(secret.span()),
                                          .cost = {}}));
  auto finished = finish(repository, kit);
  if (finished) return kit;
  static_cast<void>(take_back(repository, key, kit));
  return std::move(finished).error();
}

Result<> take_back(const std::filesystem::path& repository, const SecretBytes& key, const Kit& kit) {
  return repository::remove_slot(repository, key, kit.slot, false);
}

Result<std::vector<std::uint32_t>> other_recovery_slots(const std::filesystem::path& repository,
                                                        std::uint32_t but) {
  ZKV_TRY(const auto description, repository::describe(repository));
  std::vector<std::uint32_t> ids;
  if (!description.outside) return ids;
  for (const auto& slot : description.outside->slots) {
    if (slot.type == repository::SlotType::kRecovery && slot.id != but) ids.push_back(slot.id);
  }
  return ids;
}

std::string label_of(const Kit& kit) {
  std::string label = "kit " + std::to_string(kit.number);
  if (kit.scheme.parts == 1) return label;
  return label + ", any " + std::to_string(kit.scheme.threshold) + " of " + std::to_string(kit.scheme.parts);
}

}  // namespace zkv::recovery
