// The device mapper's mappings, as sysfs shows them: no library, no right to open a device needed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace zkv::unlock {

struct Mapping {
  std::string name;    ///< as in /dev/mapper/NAME
  std::string node;    ///< the kernel's name, as in "dm-0"
  std::string number;  ///< "MAJOR:MINOR"
  std::string uuid;    ///< the device mapper's own, as in "CRYPT-LUKS2-…" or "CRYPT-PLAIN-…"
  std::vector<std::string> devices;  ///< kernel names of what it lies on
  std::vector<std::string> holders;  ///< kernel names of what lies on it

  [[nodiscard]] bool is_of_cryptsetup() const { return uuid.starts_with("CRYPT-"); }
};

class Mappings {
 public:
  /// `blocks` is /sys/class/block. None where the kernel has no device mapper.
  static Mappings read(const std::filesystem::path& blocks);

  [[nodiscard]] const std::vector<Mapping>& all() const { return all_; }
  /// Nothing when there is none of that name.
  [[nodiscard]] const Mapping* find(std::string_view name) const;
  /// The mapping of cryptsetup that lies on `device` (a path with every link followed: a block device, or a
  /// file by way of a loop device); nothing when there is none.
  [[nodiscard]] const Mapping* of_cryptsetup_on(const std::filesystem::path& device) const;
  /// Whether `mapping` lies on `device`, with nothing but cryptsetup's own layers between them.
  [[nodiscard]] bool lies_on(const Mapping& mapping, const std::filesystem::path& device) const;

  /// Whether it is one that cryptsetup put below another of its own.
  [[nodiscard]] bool is_layer(const Mapping& mapping) const;

 private:
  explicit Mappings(std::filesystem::path blocks) : blocks_(std::move(blocks)) {}

  /// Whether `mapping`, which is `top` or one of its layers, lies on `device`.
  [[nodiscard]] bool reaches(const Mapping& mapping, const Mapping& top,
                             const std::filesystem::path& device) const;

  std::filesystem::path blocks_;
  std::vector<Mapping> all_;
};

}  // namespace zkv::unlock
