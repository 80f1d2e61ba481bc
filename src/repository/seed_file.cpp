// Fernet outside, JSON inside; keys go straight from the one to the other in secret memory.
#include "repository/seed_file.h"

#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "crypto/fernet.h"
#include "repository/json_text.h"
#include "repository/key_text.h"

namespace zkv::repository {

namespace {

std::string_view trimmed(std::span<const std::uint8_t> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto end = text.find_last_not_of(" \t\r\n");
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

Error loses(const std::string& what) {
  return Error::unsupported("the seed's format cannot hold " + what)
      .remedy("keep version 2 ('zkv repository convert' goes there)");
}

}  // namespace

bool is_seed_file(std::span<const std::uint8_t> file) {
  // 0x80 and the first three bytes of a 64-bit time in seconds.
  return trimmed(file).starts_with("gAAA");
}

Result<SecretBytes> decrypt_seed_file(std::span<const std::uint8_t> file, const SecretBytes& key_text) {
  const auto key = key_from_text(key_text);
  if (!key) return Error::wrong_key(key.error().message());
  ZKV_TRY(auto message, crypto::fernet_open(key->span(), trimmed(file)));
  return std::move(message.plaintext);
}

Result<VolumeKeys> read_seed_text(SecretBytes text) {
  const std::span<std::uint8_t> json = text.span();
  VolumeKeys keys(std::move(text));
  ZKV_CHECK(read_json_object(json, [&](std::string_view name, std::span<const std::uint8_t> value) {
    keys.restore(name, VolumeKind::kZfs, value);
  }));
  return keys;
}

Result<VolumeKeys> open_seed_file(std::span<const std::uint8_t> file, const SecretBytes& key_text) {
  ZKV_TRY(auto text, decrypt_seed_file(file, key_text));
  return read_seed_text(std::move(text));
}

Result<std::string> write_seed_file(const VolumeKeys& keys, const SecretBytes& key_text, Time made) {
  ZKV_TRY(const auto key, key_from_text(key_text));
  SecretBuilder json;
  std::string_view separator = "{";
  for (const auto& volume : keys.volumes()) {
    json.append(separator);
    append_json_string(json, bytes_of(volume.name));
    json.append(": ");
    append_json_string(json, volume.key);
    separator = ", ";
  }
  json.append(keys.size() == 0 ? "{}" : "}");
  return crypto::fernet_seal(key.span(), json.take().span(), made);
}

Result<> check_fits_seed_file(const VolumeKeys& keys) {
  if (!keys.unknown_records().empty()) return loses("records that a later zkv wrote");
  for (const auto& volume : keys.volumes()) {
    const std::string name = "'" + volume.name + "'";
    if (volume.kind != VolumeKind::kZfs) return loses(name + ", which is not a ZFS filesystem");
    const bool has_more = !volume.unknown_fields.empty() || volume.settings != VolumeSettings();
    if (has_more) return loses("all that is known of " + name);
    if (!volume.next_key.empty()) return loses("the next key of " + name + ", which is being changed");
    if (!is_utf8(volume.key)) return loses("the key for " + name + ", which is not text");
  }
  return {};
}

}  // namespace zkv::repository
