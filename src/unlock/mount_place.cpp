// Directories by their names, and those that hold others by what lies below.
#include "unlock/mount_place.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "unlock/mount_table.h"
#include "unlock/order.h"

namespace zkv::unlock {

Result<> check_mount_place(const std::string& mountpoint) {
  if (!mountpoint.starts_with('/')) return Error::invalid("a mount point is a whole path, such as /srv");
  const auto place = clean_path(mountpoint);
  static constexpr std::array<std::string_view, 8> kNever{"/",      "/bin", "/etc",  "/lib",
                                                          "/lib64", "/run", "/sbin", "/usr"};
  static constexpr std::array<std::string_view, 3> kNorBelow{"/dev", "/proc", "/sys"};
  const bool is_system = std::find(kNever.begin(), kNever.end(), place) != kNever.end() ||
                         std::any_of(kNorBelow.begin(), kNorBelow.end(),
                                     [&](std::string_view above) { return lies_within(place, above); });
  if (!is_system) return {};
  return Error::invalid("the running system needs " + place + ", which a mount would hide")
      .remedy("choose a mount point of its own, such as /srv/data");
}

}  // namespace zkv::unlock
