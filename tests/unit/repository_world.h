// A folder of its own for each repository test, and short words for what the tests do in it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/file.h"
#include "repository/change.h"

namespace zkv::repository {

class RepositoryFiles : public testing::Test {
 protected:
  RepositoryFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "zkv-repository-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "repository";
  }
  ~RepositoryFiles() override { std::filesystem::remove_all(folder_); }

  void make(Format format) const { ASSERT_TRUE(create(path_, format, key_, false)); }

  [[nodiscard]] Result<> add(std::string_view name, std::string_view key, bool replace = false) const {
    return edit(path_, key_,
                [&](VolumeKeys& keys) { return keys.add(name, VolumeKind::kZfs, bytes_of(key), replace); });
  }

  /// "name=key" of each volume, in order; the error's message when it does not open.
  [[nodiscard]] std::vector<std::string> contents(const std::filesystem::path& path,
                                                  const SecretBytes& key) const {
    const auto opened = open(path, key);
    if (!opened) return {opened.error().message()};
    std::vector<std::string> all;
    for (const auto& volume : opened->keys.volumes()) {
      all.push_back(volume.name + "=" + std::string(volume.key.begin(), volume.key.end()));
    }
    return all;
  }
  [[nodiscard]] std::vector<std::string> contents() const { return contents(path_, key_); }

  [[nodiscard]] Bytes bytes(const std::filesystem::path& path) const {
    return read_file(path, 1'000'000).value_or(Bytes{});
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
  SecretBytes key_ = new_key();
};

/// Argon2id as cheap as it can be.
inline constexpr crypto::Argon2Cost kCheap{.passes = 1, .memory_kib = 64};

}  // namespace zkv::repository
