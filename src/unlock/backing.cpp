// Source: "loop/backing_file" of the kernel's loop driver; a partition lies in its disk's folder.
#include "unlock/backing.h"

#include "unlock/guarded_path.h"
#include "unlock/mount_table.h"
#include "unlock/order.h"
#include "unlock/sysfs.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

Result<> check_backing_file(const std::string& node, const std::string& file) {
  if (file.starts_with('/')) return check_guarded_file(file);
  return Error::denied("the kernel does not say which file is behind " + node);
}

}  // namespace

Result<> check_files_below(const std::string& node, const fs::path& blocks) {
  for (const auto& folder : {blocks / node, blocks / node / ".."}) {
    std::error_code failed;
    if (fs::is_directory(folder / "loop", failed)) {
      ZKV_CHECK(check_backing_file(node, first_line(folder / "loop" / "backing_file")));
    }
    for (const auto& below : names_in(folder / "slaves")) ZKV_CHECK(check_files_below(below, blocks));
  }
  return {};
}

Result<> check_name_of_device(const std::string& device, const fs::path& devices) {
  if (!device.starts_with('/')) return {};
  ZKV_CHECK(check_guarded_way(device));
  const bool is_named_as_device = lies_within(clean_path(device), devices.string());
  std::error_code failed;
  const auto found = fs::canonical(device, failed);
  if (failed) return is_named_as_device ? Result<>() : Error::not_found(device + " is not there");
  if (lies_within(found.string(), real_path(devices.string()))) return {};
  return check_guarded_file(found);
}

bool is_of_others(const std::string& device, const std::string& node, const CryptOptions& options) {
  return !check_name_of_device(device, options.devices) || !check_files_below(node, options.blocks);
}

}  // namespace zkv::unlock
