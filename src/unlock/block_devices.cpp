// udev's links, and the first bytes of devices.
#include "unlock/block_devices.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "unlock/sysfs.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

struct Tag {
  std::string_view prefix;
  std::string_view folder;
};
constexpr std::array kTags{Tag{"UUID=", "by-uuid"}, Tag{"LABEL=", "by-label"},
                           Tag{"PARTUUID=", "by-partuuid"}, Tag{"PARTLABEL=", "by-partlabel"}};

/// As udev writes a value into a link's name. Source: systemd, encode_devnode_name().
std::string link_name(std::string_view value) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  static constexpr std::string_view kPlain = "#+-.:=@_";
  std::string name;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_letter || byte >= 0x80 || kPlain.find(c) != std::string_view::npos) {
      name += c;
    } else {
      name += "\\x";
      name += kDigits[byte >> 4U];
      name += kDigits[byte & 0xfU];
    }
  }
  return name;
}

const Tag* tag_of(std::string_view name) {
  const auto* tag =
      std::find_if(kTags.begin(), kTags.end(), [&](const Tag& t) { return name.starts_with(t.prefix); });
  return tag == kTags.end() || name.size() == tag->prefix.size() ? nullptr : tag;
}

/// Both versions have magic and UUID at the same places. Source: LUKS1 and LUKS2 on-disk format
/// specifications.
std::optional<std::string> luks_uuid_of(const fs::path& device) {
  static constexpr std::size_t kUuidOffset = 168;
  static constexpr std::size_t kUuidSize = 40;
  static constexpr std::string_view kMagic("LUKS\xba\xbe", 6);
  std::array<char, kUuidOffset + kUuidSize> head{};
  const FileDescriptor fd(::open(device.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open() || ::pread(fd.get(), head.data(), head.size(), 0) != static_cast<ssize_t>(head.size())) {
    return std::nullopt;
  }
  const std::string_view bytes(head.data(), head.size());
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  const auto uuid = bytes.substr(kUuidOffset);
  return std::string(uuid.substr(0, uuid.find('\0')));
}

}  // namespace

Result<> check_device_name(std::string_view name) {
  if (name.starts_with('/') || tag_of(name) != nullptr) return {};
  return Error::invalid("'" + std::string(name) + "' names no device")
      .remedy("give a path, or UUID=, LABEL=, PARTUUID= or PARTLABEL= with its value; 'blkid' shows them");
}

Result<fs::path> find_device(std::string_view name, const fs::path& devices) {
  ZKV_CHECK(check_device_name(name));
  const Tag* tag = tag_of(name);
  const fs::path path = tag == nullptr
                            ? fs::path(name)
                            : devices / "disk" / tag->folder / link_name(name.substr(tag->prefix.size()));
  std::error_code failed;
  fs::path found = fs::canonical(path, failed);
  if (!failed) return found;
  return Error::not_found("there is no device " + std::string(name))
      .remedy("'lsblk --fs' shows which devices there are");
}

std::vector<LuksDevice> find_luks_devices(const fs::path& blocks, const fs::path& devices) {
  std::vector<LuksDevice> found;
  std::error_code failed;
  for (fs::directory_iterator entry(blocks, failed), end; !failed && entry != end; entry.increment(failed)) {
    fs::path device = devices / entry->path().filename();
    if (auto uuid = luks_uuid_of(device)) found.push_back({std::move(device), std::move(*uuid)});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

fs::path file_of_loop(const fs::path& device, const fs::path& blocks) {
  return first_line(blocks / device.filename() / "loop" / "backing_file");
}

}  // namespace zkv::unlock
