// The askers, for the one place that lists them.
#pragma once

#include <memory>

#include "prompts/asker.h"

namespace zkv::prompts {

/// askpass of Debian's cryptsetup, which reads a FIFO beside the console. Source: askpass and
/// cryptroot-unlock of cryptsetup-initramfs.
std::unique_ptr<Asker> pass_fifo(const Places& places);
/// Prompts of systemd-cryptsetup, and of ZFS where systemd is in the initramfs. Source:
/// https://systemd.io/PASSWORD_AGENTS
std::unique_ptr<Asker> ask_password(const Places& places);
/// `zfs load-key` on the console, as zfs-initramfs runs it. Source: its scripts/zfs and zfsunlock.
std::unique_ptr<Asker> zfs_console(const Places& places);

}  // namespace zkv::prompts
