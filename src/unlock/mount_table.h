// What is mounted, and what fstab wants mounted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zkv::unlock {

struct Mounted {
  std::string number;      ///< "MAJOR:MINOR" of the filesystem
  std::string mountpoint;  ///< a path
  std::string source;      ///< what was mounted, often a device's path
};

/// In the order of mounting. `text` is /proc/self/mountinfo; lines that are not understood are left out.
/// Source: proc(5).
std::vector<Mounted> parse_mounted(std::string_view text);

struct FstabLine {
  std::string source;  ///< a path, or a tag such as "UUID=…"
  std::string mountpoint;
};

/// The lines that name a filesystem with a mount point, in their order. Source: fstab(5).
std::vector<FstabLine> parse_fstab(std::string_view text);

}  // namespace zkv::unlock
