// fstab by path first, which asks nobody; then by what blkid(8) says of the filesystem.
#include "unlock/fstab_places.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "unlock/block_devices.h"
#include "unlock/mount_table.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace {

/// "UUID=…" and "LABEL=…" of the filesystem on `device`, as they are, without the escapes of blkid's other
/// forms.
Result<std::set<std::string>> tags_of(const CryptOptions& options, const std::string& device) {
  static constexpr int kNothingFound = 2;
  std::set<std::string> tags;
  for (const std::string tag : {"UUID=", "LABEL="}) {
    ZKV_TRY(auto value,
            run_tool(options.blkid, {"-p", "-o", "value", "-s", tag.substr(0, tag.size() - 1), "--", device},
                     kNothingFound));
    if (value.ends_with('\n')) value.pop_back();
    if (!value.empty()) tags.insert(tag + value);
  }
  return tags;
}

/// std::filesystem::equivalent() compares no devices.
bool is_named(const FstabLine& line, const std::string& device) {
  return line.source == device ||
         (line.source.starts_with('/') && real_path(line.source) == real_path(device));
}

template <class IsWanted>
std::vector<std::string> places_where(const std::vector<FstabLine>& lines, const IsWanted& is_wanted) {
  std::vector<std::string> places;
  for (const auto& line : lines) {
    if (is_wanted(line)) places.push_back(clean_path(line.mountpoint));
  }
  return places;
}

}  // namespace

Result<std::vector<FstabLine>> read_fstab(const CryptOptions& options) {
  const auto text = read_system_table(options.fstab);
  if (!text && text.error().kind() == ErrorKind::kNotFound) return std::vector<FstabLine>();
  if (!text) return Error(text.error());
  return parse_fstab(*text);
}

bool is_by_tag(const FstabLine& line) {
  return line.source.starts_with("UUID=") || line.source.starts_with("LABEL=");
}

Result<std::vector<std::string>> places_of_path(const CryptOptions& options, const std::string& device) {
  ZKV_TRY(const auto lines, read_fstab(options));
  return places_where(lines, [&](const FstabLine& line) { return is_named(line, device); });
}

Result<bool> is_checked_at(const CryptOptions& options, const std::string& place) {
  ZKV_TRY(const auto lines, read_fstab(options));
  return std::any_of(lines.begin(), lines.end(), [&](const FstabLine& line) {
    return line.is_checked && clean_path(line.mountpoint) == place;
  });
}

Result<std::vector<std::string>> places_of_missing_devices(const CryptOptions& options,
                                                           const std::vector<VolumeRef>& volumes) {
  ZKV_TRY(const auto lines, read_fstab(options));
  const auto mapper = options.devices / "mapper";
  return places_where(lines, [&](const FstabLine& line) {
    const bool is_device = is_by_tag(line) || line.source.starts_with(options.devices.string() + "/");
    const bool is_named = std::any_of(volumes.begin(), volumes.end(), [&](const VolumeRef& volume) {
      return line.source == (mapper / volume.name).string();
    });
    return is_device && !is_named && !find_device(line.source, options.devices);
  });
}

Result<std::vector<FstabLine>> lines_in_fstab(const CryptOptions& options, const std::string& device) {
  ZKV_TRY(const auto all, read_fstab(options));
  std::vector<FstabLine> lines;
  std::copy_if(all.begin(), all.end(), std::back_inserter(lines),
               [&](const FstabLine& line) { return is_named(line, device); });
  if (std::none_of(all.begin(), all.end(), is_by_tag)) return lines;
  const auto tags = tags_of(options, device);
  if (!tags && lines.empty()) return Error(tags.error());
  std::copy_if(all.begin(), all.end(), std::back_inserter(lines),
               [&](const FstabLine& line) { return tags && tags->contains(line.source); });
  return lines;
}

Result<std::vector<std::string>> places_in_fstab(const CryptOptions& options, const std::string& device) {
  ZKV_TRY(const auto lines, lines_in_fstab(options, device));
  return places_where(lines, [](const FstabLine&) { return true; });
}

}  // namespace zkv::unlock
