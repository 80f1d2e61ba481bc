// cryptsetup(8) formats, with the key on its stdin.
#include "unlock/luks_create.h"

#include <algorithm>
#include <string_view>

#include "unlock/block_devices.h"
#include "unlock/child_process.h"
#include "unlock/crypt_content.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace {

constexpr std::string_view kUuidTag = "UUID=";
constexpr std::chrono::milliseconds kFormatLimit{600'000};

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
  });
}

/// Nobody's filesystem, partitions or volume is overwritten.
Result<> check_empty(const std::filesystem::path& device, const CryptOptions& options) {
  ZKV_TRY(auto found, types_on(device, options));
  if (found.empty()) return {};
  std::replace(found.begin(), found.end(), '\n', ' ');
  return Error::exists(device.string() + " holds something already: " + found + "(nothing was done)")
      .remedy("if it is not needed: wipefs --all " + device.string());
}

}  // namespace

Result<> check_new_luks(const NewVolume& volume) {
  if (volume.place.empty()) {
    return Error::invalid("a new LUKS volume needs a device to be made on").remedy("give it by --device");
  }
  ZKV_CHECK(check_device_name(volume.place));
  if (!volume.properties.empty() || !volume.size.empty()) {
    return Error::invalid("a LUKS volume has neither properties nor a size of its own");
  }
  if (volume.filesystem.empty() || is_word(volume.filesystem)) return {};
  return Error::invalid("a filesystem is named as mkfs(8) does, such as ext4");
}

Result<> format_luks(const NewVolume& volume, const CryptOptions& options) {
  ZKV_TRY(const auto device, find_device(volume.place, options.devices));
  ZKV_CHECK(check_empty(device, options));
  auto program = find_program(options.cryptsetup);
  if (!program) return std::move(program).error().remedy("install cryptsetup-bin");
  std::vector<std::string> words{
      "luksFormat", "--batch-mode", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations",
      "1000",       "--key-file",   "-"};
  if (const auto& name = volume.settings.device; name.starts_with(kUuidTag)) {
    words.insert(words.end(), {"--uuid", name.substr(kUuidTag.size())});
  }
  words.push_back(device.string());
  ZKV_TRY(const auto finished, run({*program, std::move(words), volume.key, kFormatLimit}));
  if (finished.exit_code == 0) return {};
  std::string complaint = finished.errors.substr(0, finished.errors.find('\n'));
  return Error::io("cryptsetup: " +
                   (complaint.empty() ? "code " + std::to_string(finished.exit_code) : complaint));
}

Result<> make_filesystem(const std::string& type, const std::filesystem::path& device) {
  auto made = run_tool("mkfs." + type, {"-q", device.string()});
  if (!made && made.error().kind() == ErrorKind::kNotFound) {
    return std::move(made).error().remedy("install the tools of " + type);
  }
  return std::move(made).map([](const std::string&) {});
}

}  // namespace zkv::unlock
