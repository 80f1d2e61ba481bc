// The arena of keys, and the entries that point into it.
#include "repository/volume_keys.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "repository/json_text.h"

namespace zkv::repository {

namespace {

constexpr std::size_t kFirstArena = 1024;

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

Error not_there(std::string_view name) {
  return Error::not_found(quoted(name) + " is not in the repository")
      .remedy("'zkv volume list' shows what is there");
}

std::unique_ptr<const VolumeSettings> boxed(VolumeSettings settings) {
  if (settings == VolumeSettings()) return nullptr;
  return std::make_unique<const VolumeSettings>(std::move(settings));
}

}  // namespace

std::string to_text(VolumeKind kind) {
  switch (kind) {
    case VolumeKind::kZfs:
      return "zfs";
    case VolumeKind::kLuks:
      return "luks";
    case VolumeKind::kPlain:
      return "plain";
    case VolumeKind::kBitlk:
      return "bitlk";
    case VolumeKind::kTcrypt:
      return "tcrypt";
    case VolumeKind::kFvault2:
      return "fvault2";
    case VolumeKind::kCommand:
      return "command";
    case VolumeKind::kSecret:
      return "secret";
  }
  return "kind " + std::to_string(static_cast<unsigned>(kind));
}

bool is_sound_setting(std::string_view text) {
  const bool controls = std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  return text.size() <= kLongestSetting && !controls && is_utf8(bytes_of(text));
}

VolumeKeys::VolumeKeys(SecretBytes text) : arena_(std::move(text)), used_(arena_.size()) {}

std::size_t VolumeKeys::size() const { return table_->entries.size(); }

std::vector<VolumeKeys::Volume> VolumeKeys::volumes() const {
  std::vector<Volume> all;
  all.reserve(table_->entries.size());
  for (const Entry& entry : table_->entries) {
    all.push_back({std::string(entry.name), entry.kind, bytes(entry.key), bytes(entry.unknown_fields)});
    if (entry.settings) all.back().settings = *entry.settings;
    all.back().next_key = bytes(entry.next_key);
    if (entry.derived.size == 0) continue;
    all.back().derived = DerivedKey{entry.derived_salt, entry.derived_iterations, bytes(entry.derived)};
  }
  return all;
}

void VolumeKeys::for_each(const std::function<void(std::string_view, VolumeKind)>& tell) const {
  for (const Entry& entry : table_->entries) tell(entry.name, entry.kind);
}

std::size_t VolumeKeys::changing() const {
  const auto is_changing = [](const Entry& entry) { return entry.next_key.size != 0; };
  return static_cast<std::size_t>(std::ranges::count_if(table_->entries, is_changing));
}

bool VolumeKeys::contains(std::string_view name) const { return table_->places.contains(name); }

Result<> VolumeKeys::check_settled(std::string_view name) const {
  const auto found = table_->places.find(name);
  if (found == table_->places.end() || found->second->next_key.size == 0) return {};
  return Error::conflict("the key of " + quoted(name) +
                         " is being changed, and either of two may be the right one")
      .remedy(
          "end that first: zkv rotate --volume-keys; or put in a key that is tried: zkv volume add --force " +
          std::string(name));
}

Result<> VolumeKeys::add(std::string_view name, VolumeKind kind, std::span<const std::uint8_t> key,
                         bool replace) {
  if (name.empty()) return Error::invalid("a volume needs a name");
  if (key.empty()) return Error::invalid("the key for " + quoted(name) + " is empty");
  Entry* old = find(name);
  if (old == nullptr) {
    put(name, kind, store(key));
    return {};
  }
  if (old->kind != kind) {
    return Error::exists(quoted(name) + " is in the repository already, as a volume of kind " +
                         to_text(old->kind))
        .remedy("remove that first: zkv volume remove " + std::string(name));
  }
  if (!replace) {
    return Error::exists(quoted(name) + " is in the repository already")
        .remedy("use --force to give it another key");
  }
  const Slice stored = store(key);
  forget(old->key);
  forget(std::exchange(old->derived, {}));
  forget(std::exchange(old->next_key, {}));
  old->key = stored;
  return {};
}

Result<> VolumeKeys::set_settings(std::string_view name, VolumeSettings settings) {
  Entry* entry = find(name);
  if (entry == nullptr) return not_there(name);
  for (const auto* text : {&settings.device, &settings.mountpoint, &settings.options, &settings.program}) {
    if (!is_sound_setting(*text)) {
      return Error::invalid("a setting of " + quoted(name) + " is too long, or is not plain text");
    }
  }
  entry->settings = boxed(std::move(settings));
  return {};
}

Result<> VolumeKeys::set_derived(std::string_view name, const DerivedKey& derived) {
  Entry* entry = find(name);
  if (entry == nullptr) return not_there(name);
  if (derived.key.size() != kDerivedKeySize) {
    return Error::invalid("a derived key has " + std::to_string(kDerivedKeySize) + " bytes");
  }
  keep_derived(*entry, derived);
  return {};
}

void VolumeKeys::keep_derived(Entry& entry, const DerivedKey& derived) {
  const Slice stored = store(derived.key);
  forget(entry.derived);
  entry.derived = stored;
  entry.derived_salt = derived.salt;
  entry.derived_iterations = derived.iterations;
}

Result<> VolumeKeys::begin_change(std::string_view name, std::span<const std::uint8_t> next_key) {
  Entry* entry = find(name);
  if (entry == nullptr) return not_there(name);
  if (next_key.empty()) return Error::invalid("the next key for " + quoted(name) + " is empty");
  const Slice stored = store(next_key);
  forget(entry->next_key);
  entry->next_key = stored;
  return {};
}

Result<> VolumeKeys::finish_change(std::string_view name) {
  Entry* entry = find(name);
  if (entry == nullptr) return not_there(name);
  if (entry->next_key.size == 0)
    return Error::not_found("the key of " + quoted(name) + " is not being changed");
  forget(entry->key);
  forget(std::exchange(entry->derived, {}));
  entry->key = std::exchange(entry->next_key, {});
  return {};
}

Result<> VolumeKeys::rename(std::string_view name, std::string_view new_name) {
  const auto found = table_->places.find(name);
  if (found == table_->places.end()) return not_there(name);
  if (new_name.empty()) return Error::invalid("a volume needs a name");
  if (table_->places.contains(new_name)) {
    return Error::exists(quoted(new_name) + " is in the repository already");
  }
  const auto entry = found->second;
  table_->places.erase(found);
  entry->name = new_name;
  table_->places.emplace(entry->name, entry);
  return {};
}

Result<> VolumeKeys::remove(std::string_view name) {
  const auto found = table_->places.find(name);
  if (found == table_->places.end()) return not_there(name);
  const auto entry = found->second;
  forget(entry->key);
  forget(entry->unknown_fields);
  forget(entry->derived);
  forget(entry->next_key);
  table_->places.erase(found);
  table_->entries.erase(entry);
  return {};
}

void VolumeKeys::restore(const Volume& volume) {
  Entry& entry = put(volume.name, volume.kind, store(volume.key));
  entry.unknown_fields = store(volume.unknown_fields);
  entry.settings = boxed(volume.settings);
  entry.next_key = store(volume.next_key);
  if (volume.derived) keep_derived(entry, *volume.derived);
}

void VolumeKeys::restore(std::string_view name, VolumeKind kind, std::span<const std::uint8_t> key) {
  put(name, kind, take_in(key));
}

/// In the place of what was there of that name, all of which is forgotten; else behind all others.
VolumeKeys::Entry& VolumeKeys::put(std::string_view name, VolumeKind kind, const Slice& key) {
  auto& [memory, entries, places] = *table_;
  entries.push_back({std::pmr::string(name, &memory), kind, key});
  const auto added = std::prev(entries.end());
  const auto [place, is_new] = places.try_emplace(added->name, added);
  if (is_new) return *added;
  Entry& old = *place->second;
  forget(old.key);
  forget(old.unknown_fields);
  forget(old.derived);
  forget(old.next_key);
  added->name.swap(old.name);  // what the map's key points to stays
  std::swap(old, *added);
  entries.pop_back();
  return old;
}

void VolumeKeys::reserve(std::size_t bytes) { static_cast<void>(make_room(bytes)); }

/// Gives the arena that it replaced: what is to be stored may lie in that.
SecretBytes VolumeKeys::make_room(std::size_t bytes) {
  if (used_ + bytes <= arena_.size()) return {};
  SecretBytes larger(std::max({kFirstArena, 2 * arena_.size(), used_ + bytes}));
  std::copy_n(arena_.data(), used_, larger.data());
  return std::exchange(arena_, std::move(larger));
}

std::span<const std::uint8_t> VolumeKeys::unknown_records() const { return bytes(unknown_records_); }

void VolumeKeys::set_unknown_records(std::span<const std::uint8_t> records) {
  unknown_records_ = store(records);
}

VolumeKeys::Slice VolumeKeys::store(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return {};
  const SecretBytes replaced = make_room(bytes.size());
  std::copy(bytes.begin(), bytes.end(), arena_.data() + used_);
  return {std::exchange(used_, used_ + bytes.size()), bytes.size()};
}

/// The bytes' own place if they lie in the arena already.
VolumeKeys::Slice VolumeKeys::take_in(std::span<const std::uint8_t> bytes) {
  const std::less<const std::uint8_t*> is_before;
  const std::uint8_t* begin = arena_.data();
  if (bytes.empty() || is_before(bytes.data(), begin) || !is_before(bytes.data(), begin + used_)) {
    return store(bytes);
  }
  return {static_cast<std::size_t>(bytes.data() - begin), bytes.size()};
}

void VolumeKeys::forget(const Slice& slice) {
  if (slice.size != 0) explicit_bzero(arena_.data() + slice.offset, slice.size);
}

std::span<const std::uint8_t> VolumeKeys::bytes(const Slice& slice) const {
  return arena_.span().subspan(slice.offset, slice.size);
}

VolumeKeys::Entry* VolumeKeys::find(std::string_view name) {
  const auto found = table_->places.find(name);
  return found == table_->places.end() ? nullptr : &*found->second;
}

}  // namespace zkv::repository
