// Changes to slots, and the one road by which a version 2 file is written.
#include "repository/edit_version2.h"

#include <algorithm>

#include "base/time.h"
#include "repository/generation.h"

namespace zkv::repository {

namespace {

/// Wraps the repository key for `secret` in one more slot, and gives its id.
Result<std::uint32_t> append_slot(Version2& repository, SlotType type, const std::string& label,
                                  Bytes parameters, const SecretBytes& secret,
                                  const crypto::Argon2Cost& cost) {
  auto& slots = repository.outside.slots;
  if (slots.size() >= kMostSlots) {
    return Error::invalid("there are " + std::to_string(slots.size()) + " slots, and no more are possible")
        .remedy("remove one that is not needed: 'zkv slot remove ID'");
  }
  Slot slot{.id = std::max(repository.highest_slot, highest_slot(slots)) + 1,
            .type = type,
            .created = now(),
            .label = label,
            .parameters = std::move(parameters),
            .wrapped = {}};
  ZKV_CHECK(wrap_key(slot, repository.outside.header.id, repository.repository_key, secret, cost));
  slots.push_back(std::move(slot));
  return slots.back().id;
}

Result<> edit_slots(const std::filesystem::path& path, const SecretBytes& key,
                    const std::function<Result<>(Version2&)>& change) {
  ZKV_TRY(const auto locked, lock_and_read(path));
  if (is_version2(locked.file)) return edit_version2(locked, key, change).map([](const Version2&) {});
  return Error::unsupported(path.string() + " has the seed's format, which has no slots")
      .remedy("'zkv repository convert' turns it into version 2");
}

Result<> erase_slot(std::vector<Slot>& slots, std::uint32_t id, bool force) {
  const auto found =
      std::find_if(slots.begin(), slots.end(), [id](const Slot& slot) { return slot.id == id; });
  if (found == slots.end()) {
    return Error::not_found("there is no slot " + std::to_string(id))
        .remedy("'zkv slot list' shows which there are");
  }
  const auto usable =
      std::count_if(slots.begin(), slots.end(), [](const Slot& slot) { return is_usable(slot.type); });
  if (is_usable(found->type) && usable == 1 && !force) {
    return Error::invalid("slot " + std::to_string(id) +
                          " is the last one that a key opens: without it all keys in the repository are lost")
        .remedy("add another slot first ('zkv slot add recovery'), or use --force");
  }
  slots.erase(found);
  return {};
}

}  // namespace

Result<Version2> edit_version2(const LockedFile& locked, const SecretBytes& key,
                               const std::function<Result<>(Version2&)>& change) {
  auto repository = open_version2(locked.file, key);
  if (!repository) return std::move(repository).error().context(locked.lock.path().string());
  const auto seen = seen_generation(locked.lock.path());
  if (seen && seen->id == repository->outside.header.id) repository->highest_slot = seen->highest_slot;
  ZKV_CHECK(change(*repository));
  ZKV_CHECK(write_next_generation(locked.lock, *repository));
  return repository;
}

/// Where an older file was put back, PATH.previous can be the newest that there is, with keys that are
/// nowhere else; it goes with the next change.
Result<> keep_newer_previous(const WriteLock& lock, const Header& header) {
  const std::filesystem::path previous = previous_of(lock.path());
  const auto file = read_file(previous, kLargestFile);
  if (!file) return {};
  const auto outside = read_outside(*file);
  const bool is_newer =
      outside && outside->header.id == header.id && outside->header.generation > header.generation;
  if (!is_newer) return {};
  return keep_replaced(previous, lock.path()).map([](const auto&) {});
}

Result<> write_next_generation(const WriteLock& lock, Version2& repository) {
  const auto seen = seen_generation(lock.path());
  auto& header = repository.outside.header;
  ZKV_CHECK(keep_newer_previous(lock, header));
  if (seen && seen->id == header.id) header.generation = std::max(header.generation, seen->generation);
  ++header.generation;
  header.written = now();
  const auto file = write_version2(repository);
  ZKV_CHECK(lock.replace(file));
  remember_generation(lock.path(), seen, repository.outside, file);
  return {};
}

Result<std::uint32_t> append_slot_for(Version2& repository, const NewSlot& wanted) {
  return append_slot(repository, wanted.type, wanted.label, {}, wanted.secret, wanted.cost);
}

Result<std::uint32_t> add_gateway_slot(const std::filesystem::path& path, const SecretBytes& key,
                                       const GatewaySlot& slot) {
  std::uint32_t id = 0;
  ZKV_CHECK(edit_slots(path, key, [&](Version2& repository) -> Result<> {
    ZKV_TRY(id, append_slot(repository, SlotType::kGateway, slot.label, gateway_parameters(slot.gateway),
                            slot.shares, {}));
    return {};
  }));
  return id;
}

Result<std::uint32_t> add_slot(const std::filesystem::path& path, const SecretBytes& key,
                               const NewSlot& slot) {
  std::uint32_t id = 0;
  ZKV_CHECK(edit_slots(path, key, [&](Version2& repository) -> Result<> {
    ZKV_TRY(id, append_slot_for(repository, slot));
    return {};
  }));
  return id;
}

Result<> remove_slot(const std::filesystem::path& path, const SecretBytes& key, std::uint32_t id,
                     bool force) {
  return edit_slots(path, key,
                    [&](Version2& repository) { return erase_slot(repository.outside.slots, id, force); });
}

Result<> remove_slots(const std::filesystem::path& path, const SecretBytes& key,
                      const std::vector<std::uint32_t>& ids) {
  return edit_slots(path, key, [&](Version2& repository) -> Result<> {
    for (const auto id : ids) ZKV_CHECK(erase_slot(repository.outside.slots, id, false));
    return {};
  });
}

}  // namespace zkv::repository
