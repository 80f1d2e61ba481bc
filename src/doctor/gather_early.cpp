// Times of files: what zkv-initramfs and zkv-dracut copy, and what they were copied into.
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "doctor/gather_parts.h"
#include "doctor/looks.h"
#include "host/renewed.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

constexpr std::array kCopiers{"/usr/share/initramfs-tools/hooks/zkv",
                              "/usr/lib/dracut/modules.d/90zkv/module-setup.sh"};
constexpr std::array kSettings{"/etc/default/zfs-keyvault", "/etc/sysconfig/zfs-keyvault"};

Time time_of(const struct timespec& time) {
  const auto whole = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return Time(std::chrono::duration_cast<std::chrono::milliseconds>(whole));
}

enum class Changed {
  kContents,  ///< as whoever wrote it says
  kAnything,  ///< also its being put there with an old time, as from a backup
};

void take(const fs::path& path, Changed what, std::vector<EarlyFacts::File>& files) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return;
  const auto written = time_of(about.st_mtim);
  const auto changed = what == Changed::kContents ? written : std::max(written, time_of(about.st_ctim));
  files.push_back({path.string(), changed});
}

/// The kernel's version that an initramfs is named after; empty where the file is none.
std::string kernel_of(std::string name) {
  constexpr std::string_view kDebians = "initrd.img-";
  constexpr std::string_view kDracuts = "initramfs-";
  constexpr std::string_view kEnding = ".img";
  if (name.starts_with(kDebians)) return name.substr(kDebians.size());
  if (!name.starts_with(kDracuts) || !name.ends_with(kEnding)) return {};
  name.resize(name.size() - kEnding.size());
  return name.substr(kDracuts.size());
}

/// Not a copy that somebody kept, nor what a kernel left that was removed.
bool is_booted(const System& system, const std::string& name) {
  const auto kernel = kernel_of(name);
  return !kernel.empty() &&
         (system.has("/boot/vmlinuz-" + kernel) || system.has("/usr/lib/modules/" + kernel + "/vmlinuz"));
}

}  // namespace

void gather_early(const GatherOrder& order, Facts& facts) {
  const bool is_copied =
      std::ranges::any_of(kCopiers, [&](const char* path) { return order.system.has(path); });
  if (!is_copied) return;
  // Of an image the files may have come with it, one after the other.
  const auto what = order.system.is_running() ? Changed::kAnything : Changed::kContents;
  for (const auto& path : host::RepositoryFiles::of(repository_file(order)).paths()) {
    take(path, what, facts.early.copied);
  }
  for (const char* path : kSettings) take(order.system.place_of(path), what, facts.early.copied);
  for (const auto& name : order.system.names_in("/boot")) {
    if (is_booted(order.system, name))
      take(order.system.place_of(fs::path("/boot") / name), Changed::kContents, facts.early.initramfses);
  }
}

std::vector<Found> look_for_old_initramfses(const System& system, const fs::path& repository) {
  GatherOrder order;
  order.system = system;
  order.repository = repository;
  Facts facts;
  gather_early(order, facts);
  return initramfs_old(facts);
}

}  // namespace zkv::doctor
