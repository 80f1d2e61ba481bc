// What a repository holds: volumes and their keys, in the order in which they were added.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::repository {

/// Kinds of volume; the number is what the file holds. More follow as unlockers do.
enum class VolumeKind : std::uint16_t { kZfs = 1 };

/// The names and keys of all volumes. All keys rest in one run of secret memory, so that a thousand of them
/// cost no more locked pages than their bytes need.
class VolumeKeys {
 public:
  struct Volume {
    std::string name;
    VolumeKind kind = VolumeKind::kZfs;
    std::span<const std::uint8_t> key;  ///< lives as long as the VolumeKeys, until it is next changed
  };

  [[nodiscard]] std::size_t size() const;
  /// All volumes, first added first.
  [[nodiscard]] std::vector<Volume> volumes() const;
  [[nodiscard]] bool contains(std::string_view name) const;

  /// Errors: kInvalid (empty name, empty key), kExists unless `replace`; a replaced volume keeps its place.
  Result<> add(std::string_view name, VolumeKind kind, std::span<const std::uint8_t> key,
               bool replace = false);
  /// Errors: kNotFound.
  Result<> remove(std::string_view name);

 private:
  struct Slice {
    std::string name;
    VolumeKind kind;
    std::size_t offset;
    std::size_t size;
  };
  std::vector<Slice> slices_;
  SecretBytes arena_;
  std::size_t used_ = 0;
};

}  // namespace zkv::repository
