// What lies on an open mapping before there are filesystems: logical volumes and arrays.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "unlock/crypt.h"
#include "unlock/mappings.h"

namespace zkv::unlock {

/// A block device that can hold a filesystem.
struct TopDevice {
  std::string path;
  std::string node;    ///< the kernel's name, as in "dm-3"
  std::string number;  ///< "MAJOR:MINOR"
};

TopDevice itself(const Mapping& mapping, const CryptOptions& options);

/// What is on top of the mapping, by path: itself where nothing lies on it, else the logical volumes and
/// arrays that do, level by level. What another volume of cryptsetup lies on is that volume's own, snapshots
/// are whoever's made them, and what LVM keeps for itself is nobody's.
std::vector<TopDevice> tops_of(const Mapping& mapping, const CryptOptions& options);

/// The names of cryptsetup's mappings that a device is or lies on, which is named as find_device() takes it;
/// none where it is not there. `blocks` is /sys/class/block.
std::vector<std::string> mappings_under(const std::string& device, const std::filesystem::path& devices,
                                        const std::filesystem::path& blocks);

/// The names of the other mappings of cryptsetup that lie on it.
std::vector<std::string> mappings_over(const Mapping& mapping, const std::filesystem::path& blocks);

/// Activates the volume groups that the devices are parts of, as far as they are and all parts are there: as
/// udev does by itself where lvm.conf does not forbid it, and waits for the end. By systemd, outside of our
/// sandbox. Gives why not, by device: kConflict (parts of its group are missing), kNotFound (no LVM here),
/// kInterrupted (LVM did not end soon after a stop request), kIo (with LVM's complaint).
/// Source: pvs(8), vgchange(8), lvmautoactivation(7).
std::map<std::string, Error> activate_groups(const std::vector<std::string>& devices,
                                             const CryptOptions& options, const std::stop_token& stop);

/// Takes down what lies on the mapping: logical volumes become inactive, arrays stop. Nothing happens where
/// anything of it is in use. Errors: kConflict (LVM or mdadm refused), kNotFound (neither is here), kIo.
/// Source: lvchange(8), mdadm(8).
Result<> take_down(const Mapping& mapping, const CryptOptions& options);

}  // namespace zkv::unlock
