// Source: mount(8), "Filesystem-independent mount options"; systemd.mount(5), "fstab".
#include "unlock/fstab_rights.h"

#include <algorithm>
#include <array>

#include "unlock/fstab_places.h"
#include "unlock/option_words.h"
#include "unlock/order.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace {

/// Neither systemd mounts it by itself, nor another user.
bool is_left_to_root(std::string_view options) {
  static constexpr std::array<std::string_view, 8> kMountsIt{"user",
                                                             "users",
                                                             "owner",
                                                             "group",
                                                             "x-systemd.automount",
                                                             "comment=systemd.automount",
                                                             "x-systemd.wanted-by",
                                                             "x-systemd.required-by"};
  const auto words = option_words(options);
  const bool has_other = std::ranges::any_of(words, [](std::string_view word) {
    return std::ranges::any_of(kMountsIt, [&](std::string_view one) {
      return word == one || (word.starts_with(one) && word[one.size()] == '=');
    });
  });
  return has_option_word(options, "noauto") && !has_other;
}

/// Source: systemd's and lvm2's udev rules.
bool is_line_of_mapping(const FstabLine& line, const std::string& name, const CryptOptions& options) {
  if (line.source == (options.devices / "mapper" / name).string()) return true;
  const std::filesystem::path path(line.source);
  if (path.parent_path() != options.devices / "disk" / "by-id") return false;
  const std::string link = path.filename();
  return link == "dm-name-" + name || (link.starts_with("dm-uuid-CRYPT-") && link.ends_with("-" + name));
}

bool is_by_content(const FstabLine& line, const CryptOptions& options) {
  const auto links = options.devices / "disk";
  return is_by_tag(line) || lies_within(line.source, (links / "by-uuid").string()) ||
         lies_within(line.source, (links / "by-label").string());
}

std::string others_can_change(const VolumeRef& volume) {
  return "others than root can change " + volume.settings.device + ", and would be root by a program on it: ";
}

}  // namespace

bool gives_no_rights(std::string_view options) {
  const auto has = [&](std::string_view word) { return has_option_word(options, word); };
  return has("nosuid") && has("nodev") && !has("suid") && !has("dev");
}

Result<> check_line_for_others(const VolumeRef& volume, const FstabLine& line) {
  if (gives_no_rights(line.options)) return {};
  return Error::denied(others_can_change(volume) + "its line in fstab wants nosuid,nodev")
      .remedy("add nosuid,nodev there, or make the file root's own, in a directory of root");
}

Result<> check_fstab_for_others(const VolumeRef& volume, const CryptOptions& options) {
  ZKV_TRY(const auto lines, read_fstab(options));
  ZKV_TRY(const auto table, read_system_table(options.mount_table));
  const auto mounted = parse_mounted(table);
  const auto is_awaited = [&](const FstabLine& line) {
    const auto place = real_path(line.mountpoint);
    return std::ranges::none_of(mounted, [&](const Mounted& one) { return one.mountpoint == place; });
  };
  for (const auto& line : lines) {
    if (gives_no_rights(line.options) || is_left_to_root(line.options)) continue;
    const auto words = line.source + " " + line.mountpoint;
    if (is_line_of_mapping(line, volume.name, options)) {
      return Error::denied(others_can_change(volume) + "its line in fstab (" + words + ") wants nosuid,nodev")
          .remedy(
              "add nosuid,nodev there (and systemctl daemon-reload), or make the file root's own, in a "
              "directory of root");
    }
    if (is_by_content(line, options) && is_awaited(line)) {
      return Error::denied(others_can_change(volume) + "it could pass for what fstab awaits (" + words + ")")
          .remedy(
              "add nosuid,nodev to that line, or noauto (and systemctl daemon-reload); or make the file "
              "root's own, in a directory of root");
    }
  }
  return {};
}

}  // namespace zkv::unlock
