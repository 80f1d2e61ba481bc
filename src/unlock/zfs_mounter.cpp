// libzfs is loaded here and used in children alone: it keeps state of its own, and one that hangs is given
// up.
#include "unlock/zfs_mounter.h"

#include "unlock/loaded_library.h"
#include "unlock/parallel.h"
#include "unlock/system_tool.h"
#include "unlock/workers.h"
#include "unlock/zfs_place.h"

namespace zkv::unlock {

namespace {

constexpr int kFilesystemType = 1;  // ZFS_TYPE_FILESYSTEM of OpenZFS include/sys/fs/zfs.h

/// Whether zfs(8) need not be asked any more.
bool is_settled(const Result<>& mounted) {
  if (mounted) return true;
  const auto kind = mounted.error().kind();
  return kind == ErrorKind::kExists || kind == ErrorKind::kInterrupted || kind == ErrorKind::kUnavailable;
}

}  // namespace

/// Source: OpenZFS include/libzfs.h, which has had these since before 0.7.
class ZfsMounter::LibZfs {
 public:
  static std::unique_ptr<LibZfs> load(const std::vector<std::string>& libraries) {
    for (const auto& name : libraries) {
      auto found = std::make_unique<LibZfs>();
      found->library_ = load_library(name);
      if (found->library_ != nullptr && found->has_all()) return found;
    }
    return nullptr;
  }

  /// In a child that ends right after: nothing of what is opened here is closed.
  [[nodiscard]] Result<std::uint64_t> mount(const Dataset& dataset) const {
    if (dataset.has_resume_token) return Error::unsupported("libzfs would mount half of it");
    void* handle = init_();
    if (handle == nullptr) return Error::unsupported("libzfs does not start");
    void* filesystem = open_(handle, dataset.name.c_str(), kFilesystemType);
    if (filesystem == nullptr) return Error::not_found("libzfs does not find it");
    if (is_mounted_(filesystem, nullptr) != 0) return Error::exists("it is mounted already");
    if (mount_(filesystem, nullptr, 0) != 0) return Error::io("libzfs does not mount it");
    // It mounts nothing, and is content, where it finds that there is nothing to be mounted.
    if (is_mounted_(filesystem, nullptr) == 0) return Error::io("libzfs did not mount it");
    return std::uint64_t{0};
  }

 private:
  [[nodiscard]] bool has_all() {
    void* library = library_.get();
    return find_in_library(library, "libzfs_init", init_) && find_in_library(library, "zfs_open", open_) &&
           find_in_library(library, "zfs_is_mounted", is_mounted_) &&
           find_in_library(library, "zfs_mount", mount_);
  }

  std::shared_ptr<void> library_;
  void* (*init_)() = nullptr;
  void* (*open_)(void* handle, const char* name, int types) = nullptr;
  int (*is_mounted_)(void* filesystem, char** where) = nullptr;
  int (*mount_)(void* filesystem, const char* options, int flags) = nullptr;
};

ZfsMounter::ZfsMounter(const ZfsOptions& options, const ZfsProgram& program)
    : options_(options), program_(program) {}
ZfsMounter::~ZfsMounter() = default;

std::vector<Result<>> ZfsMounter::mount(const std::vector<const Dataset*>& datasets,
                                        const std::stop_token& stop) {
  if (!has_looked_ && options_.road != Road::kProgram) library_ = LibZfs::load(options_.mount_libraries);
  has_looked_ = true;
  std::vector<Result<>> mounted(datasets.size(), Error::interrupted("not tried, since a stop was asked for"));
  if (library_ != nullptr) mounted = mount_by_library(datasets, stop);
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    if (library_ == nullptr || !is_settled(mounted[i])) left.push_back(i);
  }
  for_each_index(left.size(), stop, [&](std::size_t place) {
    mounted[left[place]] = program_.mount(datasets[left[place]]->name);
  });
  check_places(datasets, mounted);
  return mounted;
}

void ZfsMounter::check_places(const std::vector<const Dataset*>& datasets,
                              std::vector<Result<>>& mounted) const {
  const auto text = read_system_table(options_.mount_table);
  const auto places = zfs_places_in(text.value_or(std::string()));
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    if (!mounted[i]) continue;
    mounted[i] =
        text ? check_came_up(*datasets[i], places, options_.unmount) : Result<>(tl::unexpected(text.error()));
  }
}

std::vector<Result<>> ZfsMounter::mount_by_library(const std::vector<const Dataset*>& datasets,
                                                   const std::stop_token& stop) const {
  std::vector<Work> works;
  works.reserve(datasets.size());
  for (const Dataset* dataset : datasets) {
    works.push_back({0, [this, dataset] { return library_->mount(*dataset); }});
  }
  std::vector<Result<>> mounted;
  mounted.reserve(datasets.size());
  for (const auto& worked : work_in_children(works, bounds_of_machine(options_.limit), stop)) {
    mounted.push_back(worked.result ? Result<>() : Result<>(tl::unexpected(worked.result.error())));
  }
  return mounted;
}

}  // namespace zkv::unlock
