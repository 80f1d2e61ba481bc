// The highest generation of a repository that was seen on this machine, kept beside it as PATH.generation, so
// that an older file put back is noticed, and one that was damaged before a boot needs it. A notice, no
// defence: who can put back the one file can put back both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "crypto/hash.h"
#include "repository/header.h"

namespace zkv::repository {

struct SeenGeneration {
  RepositoryId id{};
  std::uint64_t generation = 0;
  std::optional<crypto::Sha256> digest;  ///< of the whole file, as it opened or was written here
};

/// Where it is kept.
std::filesystem::path generation_note(const std::filesystem::path& repository);

/// What was seen last. To be read before the repository itself: a writer replaces the repository first, so
/// that nobody sees a generation remembered that is not there yet.
std::optional<SeenGeneration> seen_generation(const std::filesystem::path& repository);

/// The warning for a file with `header` where `seen` was seen before.
std::optional<std::string> rollback_warning(const std::optional<SeenGeneration>& seen, const Header& header);

/// The warning where the generation is the one that was seen, and the file is not.
std::optional<std::string> damage_warning(const std::filesystem::path& repository);

/// Remembers `file`, which has that header and is sound, unless `seen` is of a later generation of the same
/// repository. Where the directory cannot be written (a read-only boot), nothing is remembered.
void remember_generation(const std::filesystem::path& repository, const std::optional<SeenGeneration>& seen,
                         const Header& header, std::span<const std::uint8_t> file);

}  // namespace zkv::repository
