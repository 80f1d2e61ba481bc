// What on this machine is encrypted and not in the repository yet.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/boot.h"
#include "repository/volume_keys.h"

namespace zkv::host {

struct Adoptable {
  std::size_t kind = 0;  ///< the place of its unlocker
  std::string name;
  repository::VolumeSettings settings;
  std::string device;           ///< the path of the device that it lies on now, if it has one
  std::string key_file;         ///< where the system finds its key now; empty: a person is asked
  bool is_in_crypttab = false;  ///< so that the system asks for it too
};

struct AdoptablePlaces {
  std::filesystem::path crypttab = "/etc/crypttab";
  std::filesystem::path devices = "/dev";
  std::filesystem::path blocks = "/sys/class/block";
};

struct AdoptableVolumes {
  std::vector<Adoptable> volumes;
  std::vector<Error> unseen;  ///< why a kind of volume could not be looked for
};

/// ZFS encryption roots and LUKS devices, open or not; a LUKS device is named as crypttab names it, or its
/// mapping, else by its UUID, by which it is found from then on, with those of crypttab's options that zkv
/// knows; and what lines of crypttab say is plain, BitLocker, FileVault, TrueCrypt or VeraCrypt, or LUKS with
/// its header elsewhere, or LUKS in a file. Left out are what `known` holds, what gets a new key at each
/// boot, and loop devices, which are gone after a boot. Errors: kIo (crypttab).
Result<AdoptableVolumes> find_adoptable(const Unlockers& unlockers, const repository::VolumeKeys& known,
                                        const AdoptablePlaces& places = {});
Result<AdoptableVolumes> find_adoptable(const Unlockers& unlockers,
                                        const std::vector<unlock::VolumeRef>& known,
                                        const AdoptablePlaces& places = {});

}  // namespace zkv::host
