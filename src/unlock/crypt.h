// Volumes that the kernel's dm-crypt opens: LUKS, plain, BitLocker, TrueCrypt and VeraCrypt, FileVault.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unlock/service_manager.h"
#include "unlock/unlocker.h"
#include "unlock/unmounting.h"

namespace zkv::unlock {

struct CryptOptions {
  std::vector<std::string> libraries{"libcryptsetup.so.12"};  ///< the first found is used
  std::chrono::milliseconds header_limit{20'000};             ///< for reading the header of one device
  std::chrono::milliseconds limit{240'000};                   ///< for opening it, its key derivation too
  std::chrono::milliseconds device_wait{30'000};              ///< for devices that udev has not found yet
  std::string mount = "mount";                                ///< programs: names or paths
  Unmount unmount = unmount_place;
  std::filesystem::path mount_helpers = "/sbin";  ///< where mount(8) finds its helpers
  std::string blkid = "blkid";
  std::string cryptsetup = "cryptsetup";
  std::string pvs = "pvs";
  std::string vgchange = "vgchange";
  std::string lvchange = "lvchange";
  std::string mdadm = "mdadm";
  std::filesystem::path devices = "/dev";
  std::filesystem::path blocks = "/sys/class/block";
  std::filesystem::path btrfs = "/sys/fs/btrfs";
  std::filesystem::path mount_table = "/proc/self/mountinfo";
  std::filesystem::path swaps = "/proc/swaps";
  std::filesystem::path fstab = "/etc/fstab";
  std::filesystem::path manager = kServiceManager;  ///< mounts what fstab says; without it mount(8) does
  /// Called now and then while that checks a filesystem, with the time until the next call at the latest.
  std::function<void(std::chrono::milliseconds)> on_check = {};
  /// Called once before `volumes` are waited for whose devices are not there, so long at most.
  std::function<void(const std::vector<VolumeRef>& volumes, std::chrono::milliseconds most)> on_wait = {};
  std::function<void()> on_arrival = {};  ///< called before those are opened that came
  /// Volumes that systemd opens by crypttab; where it asks for what was opened here, its unit is begun anew,
  /// and finds the mapping: what fstab mounts waits for that unit.
  std::vector<std::string> in_crypttab = {};
};

/// Versions 1 and 2, by a key slot or by the volume key.
std::unique_ptr<Unlocker> make_luks_unlocker(CryptOptions options);
/// dm-crypt without a header.
std::unique_ptr<Unlocker> make_plain_unlocker(CryptOptions options);
/// BitLocker, by passphrase, recovery key or startup key.
std::unique_ptr<Unlocker> make_bitlk_unlocker(CryptOptions options);
/// TrueCrypt and VeraCrypt.
std::unique_ptr<Unlocker> make_tcrypt_unlocker(CryptOptions options);
/// FileVault 2, by passphrase.
std::unique_ptr<Unlocker> make_fvault2_unlocker(CryptOptions options);

}  // namespace zkv::unlock
