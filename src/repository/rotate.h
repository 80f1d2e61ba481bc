// A new repository key under the same slots.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "repository/repository.h"

namespace zkv::repository {

struct Rotation {
  /// What opens the slots that are to stay: the first opens the repository, and is text.
  std::vector<RepositoryKey> keys;
  /// Slots that go, whatever opens them; one that is not there is gone already.
  std::set<std::uint32_t> dropped;
};

struct Rotated {
  std::vector<std::uint32_t> kept;
  std::vector<std::uint32_t> dropped;
  std::uint64_t generation = 0;
};

/// The slots that none of `keys` opens and that are not dropped. Errors: as open() by the first key;
/// kUnsupported (the seed's format).
Result<std::vector<Slot>> slots_without_key(const std::filesystem::path& path, const Rotation& rotation);

/// Seals the repository under a new key, and wraps that for each slot anew: what opened a slot opens it
/// still, a repository key that somebody computed from an older file opens nothing that is written from now
/// on. The new file was opened before it takes the old one's place; then the previous generation is removed,
/// which the old key opens. Killed at any moment, it leaves the whole old or the whole new file; said once
/// more, it does all of it again. Errors: as slots_without_key(); kInvalid (a slot without a key, or the
/// first key's own slot is dropped), each before anything was written; kIo.
Result<Rotated> rotate(const std::filesystem::path& path, const Rotation& rotation);

/// Removes the previous generation, in which a slot may be that is gone. Errors: kIo.
Result<> forget_previous(const std::filesystem::path& path);

}  // namespace zkv::repository
