// Directories by their names, and those that hold others by what lies below.
#include "unlock/mount_place.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "unlock/guarded_path.h"
#include "unlock/mount_table.h"
#include "unlock/order.h"

namespace zkv::unlock {

Result<> check_mount_place(const std::string& mountpoint) {
  if (!mountpoint.starts_with('/')) return Error::invalid("a mount point is a whole path, such as /srv");
  const auto place = clean_path(mountpoint);
  static constexpr std::array<std::string_view, 5> kNever{"/", "/etc", "/run", "/var", "/var/lib"};
  static constexpr std::array<std::string_view, 20> kNorBelow{"/bin",
                                                              "/dev",
                                                              "/etc/systemd",
                                                              "/etc/zkv",
                                                              "/lib",
                                                              "/lib32",
                                                              "/lib64",
                                                              "/libx32",
                                                              "/proc",
                                                              "/run/dbus",
                                                              "/run/lock",
                                                              "/run/systemd",
                                                              "/run/udev",
                                                              "/run/zfs-keyvault",
                                                              "/run/zkv",
                                                              "/sbin",
                                                              "/sys",
                                                              "/usr",
                                                              "/var/lib/systemd",
                                                              "/var/lib/zkv"};
  static constexpr std::array<std::string_view, 2> kButBelow{"/usr/local", "/usr/src"};
  const auto lies_below = [&](std::string_view above) { return lies_within(place, above); };
  const bool is_system =
      std::ranges::find(kNever, place) != kNever.end() ||
      (std::ranges::any_of(kNorBelow, lies_below) && std::ranges::none_of(kButBelow, lies_below));
  if (!is_system) return {};
  return Error::invalid("the running system needs " + place + ", which a mount would hide")
      .remedy("choose a mount point of its own, such as /srv/data");
}

Result<> check_way_to(const std::string& mountpoint) {
  const auto sound = check_guarded_way(mountpoint);
  if (sound) return {};
  return Error::denied(sound.error().message() + ", and can change what " + mountpoint +
                       " leads to: choose a mount point below directories of root, such as /srv");
}

}  // namespace zkv::unlock
