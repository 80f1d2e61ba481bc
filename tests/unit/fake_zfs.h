// A machine with ZFS for unit tests: a directory with stand-ins for zfs(8) and libzfs_core, and its datasets.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "test_certificate.h"
#include "unlock/zfs.h"

namespace zkv::test {

using Properties = std::map<std::string, std::string>;

class FakeZfs {
 public:
  FakeZfs();

  /// A dataset with `properties` over those of an unencrypted filesystem that is not mounted.
  void add(const std::string& name, const Properties& properties = {});
  /// A locked encryption root of keyformat=hex, which `key` (64 digits) opens, with its mountpoint "/NAME".
  void add_root(const std::string& name, const std::string& key, const Properties& properties = {});
  /// A filesystem that shares the key of `root`.
  void add_child(const std::string& name, const std::string& root, const Properties& properties = {});
  void set(const std::string& name, const std::string& property, const std::string& value);
  [[nodiscard]] std::string get(const std::string& name, const std::string& property) const;
  /// Takes the pool away until it is imported, which zpool(8) refuses with the words of `refusal`, if any.
  void export_pool(const std::string& pool, const std::string& refusal = {});
  /// Puts a file beside the programs: "hang", "answer", "no-dev-zfs".
  void put(const std::string& file, const std::string& text = {});

  /// The options with which an unlocker sees this machine.
  [[nodiscard]] unlock::ZfsOptions options(unlock::Road road = unlock::Road::kAuto) const;
  /// The same on a machine that has a libzfs that can mount, too.
  [[nodiscard]] unlock::ZfsOptions options_with_libzfs() const;
  /// The calls that came to program or library, in their order.
  [[nodiscard]] std::vector<std::string> calls() const;
  [[nodiscard]] std::vector<std::string> calls_of(const std::string& beginning) const;
  [[nodiscard]] std::string environments() const;

 private:
  TemporaryDirectory directory_;
};

}  // namespace zkv::test
