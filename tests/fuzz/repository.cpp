// A repository file: what is read without a key, and opened by the key and by the shares of the vectors.
#include "fuzz.h"
#include "repository/version2.h"

namespace zkv::fuzz_repository {
namespace {

using fuzz::require;

constexpr std::string_view kKey = "jFhTeFE_X3ouFFbuVAQmBf24kDkr7O-t0qsYD9Avs0E=";
constexpr std::string_view kShares = "the vault share: 32 bytes of it.the local share, as many as that";
constexpr std::uint32_t kQuickMemoryKib = 256;

/// Passphrases cost time by intention; only cheap ones, and the unbearable that are refused, are tried.
bool is_quick(const repository::Slot& slot) {
  const auto cost = repository::passphrase_cost(slot);
  return !cost || (cost->passes <= 2 && cost->memory_kib <= kQuickMemoryKib) || cost->passes > 64;
}

void check_slot(const repository::Slot& slot) {
  Bytes written;
  append_slot(written, slot);
  repository::ByteReader reader(written);
  const auto again = repository::read_slot(reader);
  require(again && reader.at_end(), "a slot that was read can be written and read again");
  Bytes twice;
  append_slot(twice, *again);
  require(written == twice, "a slot read again is the same");
}

void check_opened(const Result<repository::Version2>& opened, const SecretBytes& secret) {
  if (!opened) return fuzz::require_words(opened.error());
  const Bytes written = write_version2(*opened);
  const auto again = repository::open_version2(written, secret);
  require(again && again->keys.size() == opened->keys.size(), "what was opened is opened again when written");
}

}  // namespace

ZKV_FUZZ_TARGET(repository) {
  const std::span<const std::uint8_t> file(data, size);
  static_cast<void>(repository::is_version2(file));
  const auto outside = repository::read_outside(file);
  if (!outside) {
    fuzz::require_words(outside.error());
    return 0;
  }
  require(outside->slots.size() <= repository::kMostSlots, "there are no more slots than may be");
  for (const auto& slot : outside->slots) {
    check_slot(slot);
    if (!is_quick(slot)) return 0;
  }
  const auto key = SecretBytes::copy_of(kKey);
  check_opened(repository::open_version2(file, key), key);
  for (const auto& slot : outside->slots) {
    const auto gateway = repository::gateway_of(slot);
    if (!gateway) continue;
    const auto opened = repository::open_version2_by_gateway(file, *gateway, SecretBytes::copy_of(kShares));
    if (!opened) fuzz::require_words(opened.error());
  }
  return 0;
}

}  // namespace zkv::fuzz_repository
