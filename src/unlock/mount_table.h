// What is mounted, and what fstab wants mounted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zkv::unlock {

struct Mounted {
  std::string number;        ///< "MAJOR:MINOR" of the filesystem
  std::string mountpoint;    ///< a path
  std::string source;        ///< what was mounted, often a device's path
  std::string type = {};     ///< of the filesystem, as in "ext4"
  std::string options = {};  ///< of this mount, with commas between
};

/// Whether its source is what root said it is: by fusermount(1) anybody mounts filesystems of their own under
/// any source, but not those that lie on a block device (fuseblk). Source: fuse(4), fusermount3(1).
bool has_source_of_root(const Mounted& mounted);

/// In the order of mounting. `text` is /proc/self/mountinfo; lines that are not understood are left out.
/// Source: proc(5).
std::vector<Mounted> parse_mounted(std::string_view text);

struct FstabLine {
  std::string source;  ///< a path, or a tag such as "UUID=…"
  std::string mountpoint;
  std::string options = {};  ///< with commas between; empty: the defaults
  bool is_checked = false;   ///< before it is mounted at boot: its last number is not 0
  std::string type = {};     ///< of the filesystem, or several with commas between, or "auto"
};

/// The lines that name a filesystem with a mount point, in their order. Source: fstab(5).
std::vector<FstabLine> parse_fstab(std::string_view text);

/// A path without a slash at its end, dots and doubled slashes.
std::string clean_path(const std::string& path);
/// The same as /proc/self/mountinfo has it: every link followed, as far as the path is there.
std::string real_path(const std::string& path);

}  // namespace zkv::unlock
