// What crypttab(5) says of encrypted devices.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zkv::unlock {

struct CrypttabLine {
  std::string name;      ///< of the mapping
  std::string device;    ///< a path, or a tag such as "UUID=…"
  std::string key_file;  ///< a path; empty where a person is asked ("none", "-")
  std::vector<std::string> options;
};

/// The lines that name a mapping and a device, in their order. Source: crypttab(5).
std::vector<CrypttabLine> parse_crypttab(std::string_view text);

/// Whether it gets a fresh random key at each boot, so that there is nothing to keep.
bool is_for_one_boot(const CrypttabLine& line);

}  // namespace zkv::unlock
