// The program zfs(8): asks for properties, mounts, and loads keys where libzfs_core cannot.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "unlock/zfs_properties.h"

namespace zkv::unlock {

struct Listing {
  Datasets datasets;
  std::map<std::string, std::string, std::less<>> missing;  ///< name → zfs' reason
};

enum class Depth { kNamed, kAllBelow };

class ZfsProgram {
 public:
  /// `program` is a path, or a name to look for. Errors: kNotFound.
  static Result<ZfsProgram> find(const std::string& program, std::chrono::milliseconds limit);

  /// The lines of `zfs get -Hp -o name,property,value` for these properties, joined by commas, of those of
  /// `names` that are there. Errors: kUnavailable, kIo.
  [[nodiscard]] Result<std::string> values(const std::vector<std::string>& names,
                                           std::string_view properties) const;
  /// Properties of `names`, or of all below them too; of the whole machine when `names` is empty. One call of
  /// zfs(8) whatever the number of names. Errors: kCorrupt, kIo, kUnavailable.
  [[nodiscard]] Result<Listing> list(const std::vector<std::string>& names, Depth depth) const;

  /// The key travels on the child's stdin. Errors: kWrongKey, kExists (loaded already), kIo with zfs' words.
  [[nodiscard]] Result<> load_key(const std::string& name, const SecretBytes& answer, bool only_check) const;
  /// Makes an encryption root under the raw `key` (kWrappingKeySize bytes), and mounts it unless its
  /// properties forbid it; a block device of `size` where that is said. Errors: kExists, kIo with zfs' words.
  [[nodiscard]] Result<> create(const std::string& name, const std::vector<std::string>& properties,
                                const std::string& size, std::span<const std::uint8_t> key) const;
  /// Wraps an encryption root, whose key is loaded, under the raw `key` (kWrappingKeySize bytes), which is
  /// asked for from then on: the old key or the new one opens it, whatever happens. Errors: kIo with zfs'
  /// words.
  [[nodiscard]] Result<> change_key(const std::string& name, std::span<const std::uint8_t> key) const;
  /// Errors: kNotFound (none is loaded), kConflict (it is in use), kIo.
  [[nodiscard]] Result<> unload_key(const std::string& name) const;
  /// Errors: kExists (mounted already), kIo.
  [[nodiscard]] Result<> mount(const std::string& name) const;
  /// Errors: kNotFound (not mounted), kIo.
  [[nodiscard]] Result<> unmount(const std::string& name) const;

 private:
  ZfsProgram(std::string path, std::chrono::milliseconds limit) : path_(std::move(path)), limit_(limit) {}
  [[nodiscard]] Result<> act(std::vector<std::string> arguments, std::span<const std::uint8_t> input) const;

  std::string path_;
  std::chrono::milliseconds limit_;
};

}  // namespace zkv::unlock
