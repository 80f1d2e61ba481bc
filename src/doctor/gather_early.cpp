// Times of files: what zkv-initramfs and zkv-dracut copy, and what they were copied into.
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "doctor/gather_parts.h"
#include "host/renewed.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

constexpr std::array kCopiers{"/usr/share/initramfs-tools/hooks/zkv",
                              "/usr/lib/dracut/modules.d/90zkv/module-setup.sh"};
constexpr std::array kSettings{"/etc/default/zfs-keyvault", "/etc/sysconfig/zfs-keyvault"};

void take(const fs::path& path, std::vector<EarlyFacts::File>& files) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return;
  const auto changed =
      std::chrono::seconds(about.st_mtim.tv_sec) + std::chrono::nanoseconds(about.st_mtim.tv_nsec);
  files.push_back({path.string(), Time(std::chrono::duration_cast<std::chrono::milliseconds>(changed))});
}

/// Of a kernel, and no copy that somebody kept beside it.
bool is_initramfs(const std::string& name) {
  return (name.starts_with("initrd.img-") && !name.ends_with(".bak") && !name.ends_with(".old-dkms") &&
          !name.ends_with(".dpkg-bak")) ||
         (name.starts_with("initramfs-") && name.ends_with(".img"));
}

}  // namespace

void gather_early(const GatherOrder& order, Facts& facts) {
  const bool is_copied =
      std::ranges::any_of(kCopiers, [&](const char* path) { return order.system.has(path); });
  if (!is_copied) return;
  for (const auto& path : host::RepositoryFiles::of(repository_file(order)).paths()) {
    take(path, facts.early.copied);
  }
  for (const char* path : kSettings) take(order.system.place_of(path), facts.early.copied);
  for (const auto& name : order.system.names_in("/boot")) {
    if (is_initramfs(name)) take(order.system.place_of(fs::path("/boot") / name), facts.early.initramfses);
  }
}

}  // namespace zkv::doctor
