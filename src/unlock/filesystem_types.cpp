// blkid(8) for the kind, and a table of the names that go together.
#include "unlock/filesystem_types.h"

#include <algorithm>
#include <array>

#include "unlock/crypt_content.h"
#include "unlock/option_words.h"

namespace zkv::unlock {

namespace {

/// The names in fstab for what blkid(8) finds; the first is blkid's own.
struct TypeNames {
  std::string_view found;
  std::array<std::string_view, 4> mounted_as;
};

constexpr std::array kFilesystems{
    TypeNames{"ext2", {"ext2", "ext4"}},
    TypeNames{"ext3", {"ext3", "ext4"}},
    TypeNames{"ext4", {"ext4"}},
    TypeNames{"xfs", {"xfs"}},
    TypeNames{"btrfs", {"btrfs"}},
    TypeNames{"f2fs", {"f2fs"}},
    TypeNames{"vfat", {"vfat", "msdos"}},
    TypeNames{"exfat", {"exfat", "exfat-fuse"}},
    TypeNames{"ntfs", {"ntfs", "ntfs3", "ntfs-3g", "lowntfs-3g"}},
    TypeNames{"hfsplus", {"hfsplus"}},
    TypeNames{"jfs", {"jfs"}},
    TypeNames{"nilfs2", {"nilfs2"}},
    TypeNames{"iso9660", {"iso9660"}},
    TypeNames{"udf", {"udf"}},
    TypeNames{"squashfs", {"squashfs"}},
};

const TypeNames* names_of(std::string_view found) {
  const auto* names = std::find_if(kFilesystems.begin(), kFilesystems.end(),
                                   [&](const TypeNames& one) { return one.found == found; });
  return names == kFilesystems.end() ? nullptr : names;
}

bool has_name(const TypeNames& names, std::string_view wanted) {
  return std::find(names.mounted_as.begin(), names.mounted_as.end(), wanted) != names.mounted_as.end();
}

bool is_known(std::string_view wanted) {
  return std::any_of(kFilesystems.begin(), kFilesystems.end(),
                     [&](const TypeNames& names) { return has_name(names, wanted); });
}

}  // namespace

Result<std::string> filesystem_on(const std::string& device, const CryptOptions& options) {
  ZKV_TRY(const auto types, types_on(device, options));
  const auto type = types.substr(0, types.find('\n'));
  return names_of(type) == nullptr ? std::string() : type;
}

bool can_be_mounted_as(std::string_view found, std::string_view wanted) {
  const auto* names = names_of(found);
  if (names == nullptr || wanted.empty()) return true;
  const auto words = option_words(wanted);
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return !is_known(word) || has_name(*names, word); });
}

}  // namespace zkv::unlock
