// libzfs is loaded here and used in children alone: it keeps state of its own, and one that hangs is given
// up.
#include "unlock/zfs_mounter.h"

#include <dlfcn.h>

#include <memory>
#include <optional>

#include "unlock/parallel.h"
#include "unlock/workers.h"

namespace zkv::unlock {

namespace {

constexpr int kFilesystemType = 1;  // ZFS_TYPE_FILESYSTEM of OpenZFS include/sys/fs/zfs.h

/// Source: OpenZFS include/libzfs.h, which has had these since before 0.7.
class LibZfs {
 public:
  static std::optional<LibZfs> load(const std::vector<std::string>& libraries) {
    for (const auto& name : libraries) {
      std::shared_ptr<void> library(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* handle) {
        if (handle != nullptr) ::dlclose(handle);
      });
      if (library == nullptr) continue;
      LibZfs found(std::move(library));
      if (found.has_all()) return found;
    }
    return std::nullopt;
  }

  /// In a child that ends right after: nothing of what is opened here is closed.
  [[nodiscard]] Result<std::uint64_t> mount(const std::string& name) const {
    void* handle = init_();
    if (handle == nullptr) return Error::unsupported("libzfs does not start");
    void* filesystem = open_(handle, name.c_str(), kFilesystemType);
    if (filesystem == nullptr) return Error::not_found("libzfs does not find it");
    if (is_mounted_(filesystem, nullptr) != 0) return Error::exists("it is mounted already");
    if (mount_(filesystem, nullptr, 0) != 0) return Error::io("libzfs does not mount it");
    return std::uint64_t{0};
  }

 private:
  explicit LibZfs(std::shared_ptr<void> library) : library_(std::move(library)) {
    find("libzfs_init", init_);
    find("zfs_open", open_);
    find("zfs_is_mounted", is_mounted_);
    find("zfs_mount", mount_);
  }

  template <class Function>
  void find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library_.get(), name));
  }
  [[nodiscard]] bool has_all() const {
    return init_ != nullptr && open_ != nullptr && is_mounted_ != nullptr && mount_ != nullptr;
  }

  std::shared_ptr<void> library_;
  void* (*init_)() = nullptr;
  void* (*open_)(void* handle, const char* name, int types) = nullptr;
  int (*is_mounted_)(void* filesystem, char** where) = nullptr;
  int (*mount_)(void* filesystem, const char* options, int flags) = nullptr;
};

/// Whether zfs(8) need not be asked any more.
bool is_settled(const Result<>& mounted) {
  if (mounted) return true;
  const auto kind = mounted.error().kind();
  return kind == ErrorKind::kExists || kind == ErrorKind::kInterrupted || kind == ErrorKind::kUnavailable;
}

std::vector<Result<>> mount_by_library(const LibZfs& library, const std::vector<std::string>& names,
                                       const ZfsOptions& options, const std::stop_token& stop) {
  std::vector<Work> works;
  works.reserve(names.size());
  for (const auto& name : names) {
    works.push_back({0, [&library, &name] { return library.mount(name); }});
  }
  std::vector<Result<>> mounted;
  mounted.reserve(names.size());
  for (const auto& worked : work_in_children(works, bounds_of_machine(options.limit), stop)) {
    mounted.push_back(worked.result ? Result<>() : Result<>(tl::unexpected(worked.result.error())));
  }
  return mounted;
}

}  // namespace

std::vector<Result<>> mount_zfs(const std::vector<std::string>& names, const ZfsOptions& options,
                                const ZfsProgram& program, const std::stop_token& stop) {
  std::vector<Result<>> mounted(names.size(), Error::interrupted("not tried, since a stop was asked for"));
  std::vector<std::size_t> left;
  const auto library = options.road == Road::kProgram ? std::nullopt : LibZfs::load(options.mount_libraries);
  if (library) mounted = mount_by_library(*library, names, options, stop);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!library || !is_settled(mounted[i])) left.push_back(i);
  }
  for_each_index(left.size(), stop,
                 [&](std::size_t place) { mounted[left[place]] = program.mount(names[left[place]]); });
  return mounted;
}

}  // namespace zkv::unlock
