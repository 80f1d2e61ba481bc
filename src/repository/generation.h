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
#include "repository/version2.h"

namespace zkv::repository {

struct SeenGeneration {
  RepositoryId id{};
  std::uint64_t generation = 0;
  std::optional<crypto::Sha256> digest;  ///< of the whole file, as it opened or was written here
  std::uint32_t highest_slot = 0;        ///< of any generation; 0: not known
};

/// Where it is kept.
std::filesystem::path generation_note(const std::filesystem::path& repository);

/// What was seen last; a link is followed to the repository itself. To be read before the repository itself:
/// a writer replaces the repository first, so that nobody sees a generation remembered that is not there yet.
std::optional<SeenGeneration> seen_generation(const std::filesystem::path& repository);

/// The warning for a file with `header` where `seen` was seen before.
std::optional<std::string> rollback_warning(const std::optional<SeenGeneration>& seen, const Header& header);

/// The same for the file that is there, as it says itself; nothing where it cannot be read.
std::optional<std::string> rollback_warning(const std::filesystem::path& repository);

/// The warning where the generation is the one that was seen, and the file is not.
std::optional<std::string> damage_warning(const std::filesystem::path& repository);

/// Remembers `file`, which has that outside and is sound, unless `seen` is of a later generation of the same
/// repository. Where the directory cannot be written (a read-only boot), nothing is remembered.
void remember_generation(const std::filesystem::path& repository, const std::optional<SeenGeneration>& seen,
                         const Outside& outside, std::span<const std::uint8_t> file);

}  // namespace zkv::repository
