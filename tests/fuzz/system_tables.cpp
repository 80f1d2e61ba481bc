// The tables of the system and the answers of zfs(8), and what an option of a volume may say: root reads them
// at boot.
#include <filesystem>

#include "fuzz.h"
#include "unlock/crypt_kind.h"
#include "unlock/crypt_options.h"
#include "unlock/crypttab.h"
#include "unlock/mount_table.h"
#include "unlock/zfs_properties.h"

namespace zkv::fuzz_system_tables {
ZKV_FUZZ_TARGET(system_tables) {
  using namespace zkv;  // NOLINT(google-build-using-namespace)
  const auto text = fuzz::text_of({data, size});
  for (const auto& line : unlock::parse_crypttab(text)) {
    fuzz::require(!line.name.empty() && !line.device.empty(), "a line names a mapping and a device");
    static_cast<void>(is_for_one_boot(line));
  }
  for (const auto& line : unlock::parse_fstab(text)) {
    fuzz::require(!line.source.empty() && line.mountpoint.starts_with('/'),
                  "a line names a source and a path");
  }
  static_cast<void>(unlock::parse_mounted(text));
  for (const auto* kind : {&unlock::luks_kind(), &unlock::plain_kind(), &unlock::bitlk_kind(),
                           &unlock::tcrypt_kind(), &unlock::fvault2_kind()}) {
    const auto wishes = unlock::parse_crypt_options(*kind, text);
    if (!wishes) fuzz::require_words(wishes.error());
  }
  const auto datasets = unlock::parse_datasets(text, {"type", "mountpoint", "keystatus"});
  if (!datasets) {
    fuzz::require_words(datasets.error());
  } else {
    for (const auto& [name, dataset] : *datasets) {
      fuzz::require(unlock::is_dataset_name(name) && dataset.name == name,
                    "a dataset has the name that it stands under");
    }
  }
  return 0;
}

}  // namespace zkv::fuzz_system_tables
