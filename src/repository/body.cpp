// Volumes as records with room for what later versions add: unknown tags are carried along untouched.
#include "repository/body.h"

#include "base/encoding.h"
#include "repository/byte_order.h"

namespace zkv::repository {

namespace {

enum RecordTag : std::uint16_t { kVolume = 1 };
enum FieldTag : std::uint16_t { kName = 1, kKind = 2, kKey = 3 };

constexpr std::size_t kRecordHead = 6;

void append_secret_record(SecretBuilder& out, std::uint16_t tag, std::span<const std::uint8_t> value) {
  out.append(to_little_endian(tag));
  out.append(to_little_endian(static_cast<std::uint32_t>(value.size())));
  out.append(value);
}

void append_volume(SecretBuilder& out, const VolumeKeys::Volume& volume) {
  const std::size_t size = kRecordHead + volume.name.size() + kRecordHead + sizeof(std::uint16_t) +
                           kRecordHead + volume.key.size() + volume.unknown_fields.size();
  out.append(to_little_endian(static_cast<std::uint16_t>(kVolume)));
  out.append(to_little_endian(static_cast<std::uint32_t>(size)));
  append_secret_record(out, kName, bytes_of(volume.name));
  append_secret_record(out, kKind, to_little_endian(static_cast<std::uint16_t>(volume.kind)));
  append_secret_record(out, kKey, volume.key);
  out.append(volume.unknown_fields);
}

Error damaged() { return Error::corrupt("the repository's body is damaged"); }

/// Name, kind and key come first and in this order; whatever follows is kept as it is.
Result<VolumeKeys::Volume> read_volume(std::span<const std::uint8_t> value) {
  ByteReader reader(value);
  const auto name = take_record(reader);
  const auto kind = take_record(reader);
  const auto key = take_record(reader);
  const bool sound = name && kind && key && name->tag == kName && kind->tag == kKind &&
                     kind->value.size() == sizeof(std::uint16_t) && key->tag == kKey;
  if (!sound) return damaged();
  return VolumeKeys::Volume{
      .name = std::string(name->value.begin(), name->value.end()),
      .kind = static_cast<VolumeKind>(ByteReader(kind->value).number<std::uint16_t>()),
      .key = key->value,
      .unknown_fields = reader.rest(),
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
    if (!record) return damaged();
    if (record->tag != kVolume) {
      unknown.append(record->whole);
      continue;
    }
    ZKV_TRY(const auto volume, read_volume(record->value));
    if (keys.contains(volume.name)) return damaged();
    keys.restore(volume);
  }
  const SecretBytes records = unknown.take();
  keys.set_unknown_records(records.span());
  return keys;
}

}  // namespace zkv::repository
