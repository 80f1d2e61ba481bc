// mount(8) for what lies on an open mapping, wherever its filesystem is served from: the kernel, or a
// program.
#pragma once

#include <stop_token>
#include <string>

#include "unlock/crypt.h"

namespace zkv::unlock {

struct MountCall {
  std::string device;        ///< the mapping's path
  std::string place;         ///< an absolute path; its directories are made where they are missing
  bool is_by_fstab = false;  ///< its type and options are those of the line for that place
  bool is_read_only = false;
  bool is_of_others = false;  ///< not root alone decides what is on it: nosuid, nodev
};

/// Mounts it. Where the filesystem's type has a helper (mount.ntfs), systemd runs mount(8) in a unit of its
/// own, zkv-mount-PLACE.service: FUSE opens a device that our sandbox does not have, and its daemon outlives
/// us. Without systemd, here. Where there is none for NTFS, the kernel's own ntfs3 is asked for. Errors: kIo
/// (with the complaint of mount(8)), kNotFound (no mount(8)), kUnsupported (no libsystemd), kUnavailable (not
/// within five minutes), kInterrupted (a helper that did not end soon after a stop request was stopped).
/// Source: mount(8), "External helpers".
Result<> run_mount(const MountCall& call, const CryptOptions& options, const std::stop_token& stop);

}  // namespace zkv::unlock
