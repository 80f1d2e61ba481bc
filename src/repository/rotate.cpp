// Which key opens which slot; then all of them at once.
#include "repository/rotate.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "crypto/random.h"
#include "repository/edit_version2.h"

namespace zkv::repository {

namespace {

bool opens(const Slot& slot, const Version2& repository, const RepositoryKey& key) {
  if (key.gateway != gateway_of(slot)) return false;
  const auto unwrapped = unwrap_key(slot, repository.outside.header.id, key.secret);
  return unwrapped && equal_in_constant_time(unwrapped->span(), repository.repository_key.span());
}

/// The key of `rotation` that opens it, or none.
const RepositoryKey* key_of(const Slot& slot, const Version2& repository, const Rotation& rotation) {
  const auto found = std::find_if(rotation.keys.begin(), rotation.keys.end(),
                                  [&](const RepositoryKey& key) { return opens(slot, repository, key); });
  return found == rotation.keys.end() ? nullptr : &*found;
}

Result<Version2> open_for_rotation(const std::filesystem::path& path, const Bytes& file,
                                   const Rotation& rotation) {
  if (!is_version2(file)) {
    return Error::unsupported(path.string() + " has the seed's format, whose one key is the key itself")
        .remedy("'zkv repository convert' turns it into version 2");
  }
  auto repository = open_version2(file, rotation.keys.front().secret);
  if (!repository) return std::move(repository).error().context(path.string());
  return repository;
}

Error lacks_key(const Slot& slot) {
  return Error::invalid("nothing was given that opens slot " + std::to_string(slot.id) + " (" +
                        to_text(slot.type) + (slot.label.empty() ? "" : ", " + slot.label) +
                        "); nothing was changed")
      .remedy("give its key, or let it go: --drop " + std::to_string(slot.id));
}

/// Slots that stay, each with the key that opens it.
struct Plan {
  std::vector<Slot> slots;
  std::vector<const RepositoryKey*> keys;
  Rotated outcome;
};

Result<Plan> plan_of(const Version2& repository, const Rotation& rotation) {
  Plan plan;
  for (const Slot& slot : repository.outside.slots) {
    if (rotation.dropped.contains(slot.id)) {
      plan.outcome.dropped.push_back(slot.id);
      continue;
    }
    const auto* key = key_of(slot, repository, rotation);
    if (key == nullptr) return lacks_key(slot);
    plan.slots.push_back(slot);
    plan.keys.push_back(key);
    plan.outcome.kept.push_back(slot.id);
  }
  if (rotation.dropped.contains(repository.opened_by)) {
    return Error::invalid("slot " + std::to_string(repository.opened_by) +
                          " is the one that the given key opens: it cannot be dropped; nothing was changed")
        .remedy("give another slot's key");
  }
  return plan;
}

Result<> wrap_all(Version2& repository, Plan& plan) {
  for (std::size_t i = 0; i < plan.slots.size(); ++i) {
    Slot& slot = plan.slots[i];
    const auto cost = passphrase_cost(slot).value_or(default_cost());
    ZKV_CHECK(
        wrap_key(slot, repository.outside.header.id, repository.repository_key, plan.keys[i]->secret, cost));
  }
  repository.outside.slots = plan.slots;
  return {};
}

/// That each slot of the file to be gives the key that its body opens with.
Result<> try_all(const Bytes& file, const Plan& plan) {
  ZKV_TRY(const auto written, open_version2(file, plan.keys.front()->secret));
  for (std::size_t i = 0; i < plan.slots.size(); ++i) {
    if (!opens(written.outside.slots[i], written, *plan.keys[i])) {
      return Error::internal("slot " + std::to_string(plan.slots[i].id) +
                             " would not open; nothing was changed");
    }
  }
  return {};
}

/// The older file goes: an old repository key opens it.
Result<> remove_previous(const std::filesystem::path& path) {
  const auto previous = previous_of(path).string();
  if (::unlink(previous.c_str()) == 0 || errno == ENOENT) return {};
  return Error::system("the repository has its new key, but removing " + previous, errno)
      .remedy("remove it yourself: the old key opens it");
}

}  // namespace

Result<> forget_previous(const std::filesystem::path& path) {
  ZKV_TRY(const auto locked, lock_and_read(path));
  return remove_previous(locked.lock.path());
}

Result<std::vector<Slot>> slots_without_key(const std::filesystem::path& path, const Rotation& rotation) {
  ZKV_TRY(const auto file, read_bytes(path));
  ZKV_TRY(const auto repository, open_for_rotation(path, file, rotation));
  std::vector<Slot> slots;
  for (const Slot& slot : repository.outside.slots) {
    if (!rotation.dropped.contains(slot.id) && key_of(slot, repository, rotation) == nullptr)
      slots.push_back(slot);
  }
  return slots;
}

Result<Rotated> rotate(const std::filesystem::path& path, const Rotation& rotation) {
  ZKV_TRY(const auto locked, lock_and_read(path));
  ZKV_TRY(auto repository, open_for_rotation(path, locked.file, rotation));
  ZKV_TRY(auto plan, plan_of(repository, rotation));
  repository.repository_key = crypto::random_secret(kRepositoryKeySize);
  ZKV_CHECK(wrap_all(repository, plan));
  ZKV_CHECK(try_all(write_version2(repository), plan));
  ZKV_CHECK(write_next_generation(locked.lock, repository));
  ZKV_CHECK(remove_previous(locked.lock.path()));
  plan.outcome.generation = repository.outside.header.generation;
  return std::move(plan.outcome);
}

}  // namespace zkv::repository
