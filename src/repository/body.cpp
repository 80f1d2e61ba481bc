// Volumes as records with room for what later versions add: unknown tags are carried along untouched.
#include "repository/body.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "repository/byte_order.h"

namespace zkv::repository {

namespace {

enum RecordTag : std::uint16_t { kVolume = 1 };
enum FieldTag : std::uint16_t {
  kName = 1,
  kKind = 2,
  kKey = 3,
  kDevice = 4,
  kMountpoint = 5,
  kOptions = 6,
  kProgram = 7,
  kDerived = 8,
  kNextKey = 9,
};

constexpr std::size_t kDerivedSize = 2 * sizeof(std::uint64_t) + kDerivedKeySize;

constexpr std::size_t kRecordHead = 6;

void append_secret_record(SecretBuilder& out, std::uint16_t tag, std::span<const std::uint8_t> value) {
  out.append(to_little_endian(tag));
  out.append(to_little_endian(static_cast<std::uint32_t>(value.size())));
  out.append(value);
}

/// The settings that were made, in the order in which they stand.
std::vector<std::pair<FieldTag, std::string_view>> settings_of(const VolumeSettings& settings) {
  std::vector<std::pair<FieldTag, std::string_view>> made{{kDevice, settings.device},
                                                          {kMountpoint, settings.mountpoint},
                                                          {kOptions, settings.options},
                                                          {kProgram, settings.program}};
  std::erase_if(made, [](const auto& setting) { return setting.second.empty(); });
  return made;
}

void append_derived(SecretBuilder& out, const DerivedKey& derived) {
  out.append(to_little_endian(static_cast<std::uint16_t>(kDerived)));
  out.append(to_little_endian(static_cast<std::uint32_t>(kDerivedSize)));
  out.append(to_little_endian(derived.salt));
  out.append(to_little_endian(derived.iterations));
  out.append(derived.key);
}

void append_volume(SecretBuilder& out, const VolumeKeys::Volume& volume) {
  const auto settings = settings_of(volume.settings);
  std::size_t size = kRecordHead + volume.name.size() + kRecordHead + sizeof(std::uint16_t) + kRecordHead +
                     volume.key.size() + volume.unknown_fields.size();
  for (const auto& [tag, text] : settings) size += kRecordHead + text.size();
  if (volume.derived) size += kRecordHead + kDerivedSize;
  if (!volume.next_key.empty()) size += kRecordHead + volume.next_key.size();
  out.append(to_little_endian(static_cast<std::uint16_t>(kVolume)));
  out.append(to_little_endian(static_cast<std::uint32_t>(size)));
  append_secret_record(out, kName, bytes_of(volume.name));
  append_secret_record(out, kKind, to_little_endian(static_cast<std::uint16_t>(volume.kind)));
  append_secret_record(out, kKey, volume.key);
  for (const auto& [tag, text] : settings) append_secret_record(out, tag, bytes_of(text));
  if (volume.derived) append_derived(out, *volume.derived);
  if (!volume.next_key.empty()) append_secret_record(out, kNextKey, volume.next_key);
  out.append(volume.unknown_fields);
}

Error damaged_body() { return Error::corrupt("the repository's body is damaged"); }

std::string* setting_of(VolumeSettings& settings, std::uint16_t tag) {
  if (tag == kDevice) return &settings.device;
  if (tag == kMountpoint) return &settings.mountpoint;
  if (tag == kOptions) return &settings.options;
  return tag == kProgram ? &settings.program : nullptr;
}

/// Takes the settings that stand at the front, each at most once and in the order of their tags.
Result<VolumeSettings> take_settings(ByteReader& reader) {
  VolumeSettings settings;
  std::uint16_t last = kKey;
  while (!reader.at_end()) {
    ByteReader ahead = reader;
    const auto record = take_record(ahead);
    std::string* setting = record && record->tag > last ? setting_of(settings, record->tag) : nullptr;
    if (setting == nullptr) break;
    setting->assign(record->value.begin(), record->value.end());
    if (setting->empty() || !is_sound_setting(*setting)) return damaged_body();
    last = record->tag;
    reader = ahead;
  }
  return settings;
}

/// The derived key, if it is what stands at the front.
Result<std::optional<DerivedKey>> take_derived(ByteReader& reader) {
  ByteReader ahead = reader;
  const auto record = take_record(ahead);
  if (!record || record->tag != kDerived) return std::optional<DerivedKey>();
  if (record->value.size() != kDerivedSize) return damaged_body();
  ByteReader value(record->value);
  DerivedKey derived;
  derived.salt = value.number<std::uint64_t>();
  derived.iterations = value.number<std::uint64_t>();
  derived.key = value.rest();
  reader = ahead;
  return std::optional(derived);
}

/// The next key, if it is what stands at the front; else nothing.
Result<std::span<const std::uint8_t>> take_next_key(ByteReader& reader) {
  ByteReader ahead = reader;
  const auto record = take_record(ahead);
  if (!record || record->tag != kNextKey) return std::span<const std::uint8_t>();
  if (record->value.empty()) return damaged_body();
  reader = ahead;
  return record->value;
}

/// Name, kind and key come first and in this order, then settings, then the derived key, then the next key;
/// whatever follows is kept as it is.
Result<VolumeKeys::Volume> read_volume(std::span<const std::uint8_t> value) {
  ByteReader reader(value);
  const auto name = take_record(reader);
  const auto kind = take_record(reader);
  const auto key = take_record(reader);
  const bool sound = name && kind && key && name->tag == kName && kind->tag == kKind &&
                     kind->value.size() == sizeof(std::uint16_t) && key->tag == kKey;
  if (!sound) return damaged_body();
  ZKV_TRY(auto settings, take_settings(reader));
  ZKV_TRY(const auto derived, take_derived(reader));
  ZKV_TRY(const auto next_key, take_next_key(reader));
  return VolumeKeys::Volume{
      .name = std::string(name->value.begin(), name->value.end()),
      .kind = static_cast<VolumeKind>(ByteReader(kind->value).number<std::uint16_t>()),
      .key = key->value,
      .unknown_fields = reader.rest(),
      .settings = std::move(settings),
      .derived = derived,
      .next_key = next_key,
  };
}

}  // namespace

SecretBytes write_body(const VolumeKeys& keys) {
  SecretBuilder out;
  for (const auto& volume : keys.volumes()) append_volume(out, volume);
  out.append(keys.unknown_records());
  return out.take();
}

Result<VolumeKeys> read_body(const SecretBytes& body) {
  VolumeKeys keys;
  keys.reserve(body.size());
  SecretBuilder unknown;
  ByteReader reader(body.span());
  while (!reader.at_end()) {
    const auto record = take_record(reader);
    if (!record) return damaged_body();
    if (record->tag != kVolume) {
      unknown.append(record->whole);
      continue;
    }
    ZKV_TRY(const auto volume, read_volume(record->value));
    if (keys.contains(volume.name)) return damaged_body();
    keys.restore(volume);
  }
  const SecretBytes records = unknown.take();
  keys.set_unknown_records(records.span());
  return keys;
}

}  // namespace zkv::repository
