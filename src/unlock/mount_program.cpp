// Which helper there is says blkid(8) and a look at mount(8)'s own directory of them.
#include "unlock/mount_program.h"

#include <filesystem>
#include <vector>

#include "base/plain_text.h"
#include "unlock/filesystem_types.h"
#include "unlock/mount_table.h"
#include "unlock/mount_unit.h"
#include "unlock/service_manager.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::minutes kMountLimit{5};

std::vector<std::string> words_of(const MountCall& call, bool is_kernels_ntfs) {
  if (call.is_by_fstab) return {"--", call.place};
  std::vector<std::string> words;
  if (is_kernels_ntfs) words = {"-t", "ntfs3"};
  if (call.is_read_only) words.insert(words.end(), {"-o", "ro"});
  if (call.is_of_others) words.insert(words.end(), {"-o", "nosuid,nodev"});
  words.insert(words.end(), {"--", call.device, call.place});
  return words;
}

Result<> run_by_service(const MountCall& call, std::vector<std::string> words, const CryptOptions& options,
                        const std::stop_token& stop) {
  ZKV_TRY(auto program, find_program(options.mount));
  const auto name = unit_name_of(real_path(call.place));
  TransientService service{"zkv-mount-" + name, "Filesystem of " + call.device,
                           Command{std::move(program), std::move(words), {}, kMountLimit}};
  // It is stopped, and its daemon with it, only after what it serves was unmounted.
  service.before = {name + ".mount", "zfs-keyvault.target"};
  ZKV_TRY(const auto finished, run_as_service(service, options.manager, stop));
  if (finished.exit_code == 0) return {};
  const auto complaint = finished.errors.substr(0, finished.errors.find('\n'));
  return Error::io(complaint.empty() ? "mount ended with code " + std::to_string(finished.exit_code)
                                     : plain_text(complaint));
}

}  // namespace

Result<> run_mount(const MountCall& call, const CryptOptions& options, const std::stop_token& stop) {
  std::error_code failed;
  fs::create_directories(call.place, failed);
  if (failed) return Error::system("making " + call.place, failed.value());
  // What cannot be told is for mount(8) to tell.
  const auto type = filesystem_on(call.device, options).value_or(std::string());
  const bool has_helper = !type.empty() && fs::exists(options.mount_helpers / ("mount." + type), failed);
  const bool is_kernels_ntfs = type == "ntfs" && !has_helper;
  auto words = words_of(call, is_kernels_ntfs);
  if (has_helper && can_use_manager(options.manager)) {
    return run_by_service(call, std::move(words), options, stop);
  }
  const auto done = run_tool(options.mount, std::move(words));
  if (done) return {};
  if (!is_kernels_ntfs) return tl::unexpected(done.error());
  return Error::io(done.error().message() + "; it is NTFS, which ntfs-3g serves too: apt install ntfs-3g");
}

}  // namespace zkv::unlock
