// The seed's repository file: any bytes as they are, and any bytes inside a token that the key opens.
#include "repository/seed_file.h"

#include "crypto/fernet.h"
#include "fuzz.h"

namespace zkv::fuzz_seed_file {
namespace {

constexpr std::string_view kKeyText = "2SmKENGwc1g33EvYXaxkGw887yekfl1TpU8vP1svz_o=";
constexpr Time kMade{std::chrono::milliseconds(1'795'000'000'000)};

void check_again(const repository::VolumeKeys& keys, const SecretBytes& key_text) {
  const auto written = write_seed_file(keys, key_text, kMade);
  fuzz::require(written.has_value(), "what was read from a seed's file can be written as one");
  const auto again = repository::open_seed_file(bytes_of(*written), key_text);
  fuzz::require(again && again->size() == keys.size(), "it is opened again");
  const auto before = keys.volumes();
  const auto after = again->volumes();
  for (std::size_t i = 0; i < before.size(); ++i) {
    fuzz::require(before[i].name == after[i].name && fuzz::equal(before[i].key, after[i].key),
                  "each volume read again is the same");
  }
}

}  // namespace

ZKV_FUZZ_TARGET(seed_file) {
  const std::span<const std::uint8_t> bytes(data, size);
  const auto key_text = SecretBytes::copy_of(kKeyText);
  static_cast<void>(repository::is_seed_file(bytes));
  if (const auto keys = repository::open_seed_file(bytes, key_text); !keys) fuzz::require_words(keys.error());

  const auto key = crypto::fernet_key_from_text(kKeyText);
  const auto token = crypto::fernet_seal(key->span(), bytes, kMade);
  const auto keys = repository::open_seed_file(bytes_of(token), key_text);
  if (!keys) {
    fuzz::require_words(keys.error());
  } else {
    check_again(*keys, key_text);
  }
  return 0;
}

}  // namespace zkv::fuzz_seed_file
