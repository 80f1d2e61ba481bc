// Where fstab wants a filesystem mounted.
#pragma once

#include <string>
#include <vector>

#include "unlock/crypt.h"
#include "unlock/mount_table.h"

namespace zkv::unlock {

/// All lines; none without fstab. Errors: kIo.
Result<std::vector<FstabLine>> read_fstab(const CryptOptions& options);

/// Whether the line names its filesystem by what is on it.
bool is_by_tag(const FstabLine& line);

/// The mount points of the lines that name `device`, by a path, or by UUID= or LABEL= of the filesystem on
/// it, which blkid(8) tells; none without fstab. Errors: kIo (blkid failed, and no line names a path of it).
Result<std::vector<std::string>> places_in_fstab(const CryptOptions& options, const std::string& device);

/// The lines themselves. Errors: the same.
Result<std::vector<FstabLine>> lines_in_fstab(const CryptOptions& options, const std::string& device);

/// The mount points of the lines that name `device` by a path, which may not be there yet. Errors: kIo.
Result<std::vector<std::string>> places_of_path(const CryptOptions& options, const std::string& device);

/// Whether the line for that mount point has the filesystem checked. Errors: kIo.
Result<bool> is_checked_at(const CryptOptions& options, const std::string& place);

/// The mount points of the lines whose device, by UUID=, LABEL= or a path below /dev, udev has not found:
/// those of what is still closed are among them, as on a logical volume. Left out are the mappings of
/// `volumes`. Errors: kIo.
Result<std::vector<std::string>> places_of_missing_devices(const CryptOptions& options,
                                                           const std::vector<VolumeRef>& volumes);

}  // namespace zkv::unlock
