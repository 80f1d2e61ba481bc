// The directory above is opened name by name; what hangs in the kernel hangs in a child.
#include "unlock/unmounting.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "unlock/workers.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::minutes kUnmountLimit{5};

Result<FileDescriptor> open_without_links(const fs::path& directory) {
  static constexpr int kPathOnly = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  FileDescriptor here(::open("/", kPathOnly));
  for (const auto& name : directory.relative_path()) {
    here = FileDescriptor(::openat(here.get(), name.c_str(), kPathOnly));
    if (!here.is_open()) return Error::system("opening " + directory.string(), errno);
  }
  return here;
}

Result<std::uint64_t> unmount_here(const fs::path& place, int flags) {
  if (!place.is_absolute() || !place.has_filename()) {
    return Error::invalid("'" + place.string() + "' is not to be unmounted");
  }
  ZKV_TRY(const auto above, open_without_links(place.parent_path()));
  const auto path = fs::path("/proc/self/fd") / std::to_string(above.get()) / place.filename();
  if (::umount2(path.c_str(), flags | UMOUNT_NOFOLLOW) == 0) return std::uint64_t{0};
  return Error::system("unmounting " + place.string(), errno);
}

}  // namespace

Result<> unmount_place(const std::string& place, Unmounting how) {
  const int flags = how == Unmounting::kAtOnce ? MNT_DETACH : 0;
  const std::vector<Work> work{{0, [&] { return unmount_here(place, flags); }}};
  const auto worked = work_in_children(work, {1, 0, kUnmountLimit}, {});
  return worked.front().result.map([](std::uint64_t) {});
}

}  // namespace zkv::unlock
