// What ZFS says of its datasets: names, and the properties that concern keys and mounting, read strictly.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "unlock/zfs_key.h"

namespace zkv::unlock {

struct Dataset {
  std::string name;
  bool is_filesystem = false;  ///< else a block device (`type` is volume)
  KeyRule key;
  bool is_key_loaded = false;
  std::string encryption_root;  ///< empty when it is not encrypted
  bool is_mounted = false;
  std::string mountpoint;  ///< a path, "none", "legacy", or "-" for a block device
  std::string key_file;    ///< of a `keylocation` file://PATH
  std::string can_mount;   ///< "on", "off", "noauto", or "-" for a block device
  bool is_zoned = false;   ///< for a container to mount
  bool has_resume_token =
      false;                 ///< of a `zfs receive` into it, or into a snapshot of it, that goes on some time
  std::string unclear = {};  ///< what zfs(8) says of it and nobody understands; then nothing else counts

  [[nodiscard]] bool has_own_key() const {
    return unclear.empty() && !name.empty() && encryption_root == name;
  }
};

using Datasets = std::map<std::string, Dataset, std::less<>>;

/// All that parse_datasets wants, in an order that nobody could foresee.
std::vector<std::string> shuffled_properties();

/// Reads the lines of `zfs get -Hp -o name,property,value`, asked for the properties in `order`. Whoever may
/// set a dataset's properties can put line breaks into them, and forge lines of others: so only lines count
/// that stand together, all of one dataset, in that order, which they could not know. A dataset that begins
/// and does not come so, or has a value that zfs(8) never prints, is unclear, and the others are as they are.
/// Errors: kCorrupt, where no line is any dataset's.
Result<Datasets> parse_datasets(std::string_view text, const std::vector<std::string>& order);

/// The datasets that zfs(8) could not open, with its reason, from what it printed to stderr.
/// Errors: kIo with zfs' own words, for any other complaint.
Result<std::map<std::string, std::string, std::less<>>> parse_missing(std::string_view text);

/// Whether ZFS could have a dataset of that name; also keeps options and snapshots out of a command line.
/// Source: OpenZFS zfs_namecheck.c.
bool is_dataset_name(std::string_view name);

/// "tank" of "tank/a/b".
std::string_view pool_of(std::string_view name);

}  // namespace zkv::unlock
