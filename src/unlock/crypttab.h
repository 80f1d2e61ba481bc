// What crypttab(5) says of encrypted devices.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace zkv::unlock {

struct CrypttabLine {
  std::string name;      ///< of the mapping
  std::string device;    ///< a path, or a tag such as "UUID=…"
  std::string key_file;  ///< a path; empty where a person is asked ("none", "-")
  std::vector<std::string> options;
};

/// Where systemd-cryptsetup asks us for keys.
inline constexpr const char* kCryptsetupSocket = "/run/zkv/cryptsetup.sock";

/// The lines that name a mapping and a device, in their order. Source: crypttab(5).
std::vector<CrypttabLine> parse_crypttab(std::string_view text);

/// Whether `word` is among its options; as "NAME=" it may have any value.
bool has_option(const CrypttabLine& line, std::string_view word);
/// Whether it is opened before the system is there. Source: crypttab(5), x-initrd.attach; Debian's,
/// initramfs.
bool is_of_initramfs(const CrypttabLine& line);

/// Whether its key file is our socket.
bool asks_us(const CrypttabLine& line);

/// The lines that do. Errors: kIo; a file that is not there has no lines.
Result<std::vector<CrypttabLine>> lines_that_ask(const std::filesystem::path& crypttab);

/// The names of all its mappings; none where it cannot be read.
std::vector<std::string> names_in_crypttab(const std::filesystem::path& crypttab);

/// Whether it gets a fresh random key at each boot, so that there is nothing to keep.
bool is_for_one_boot(const CrypttabLine& line);

}  // namespace zkv::unlock
