// A recovery kit: a recovery slot's key as words, in one part or in several of which some open, and where it
// is from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"
#include "recovery/part.h"
#include "recovery/split.h"

namespace zkv::recovery {

struct Kit {
  std::uint16_t number = 0;
  Scheme scheme;
  std::vector<Part> parts;
  std::string machine;  ///< its host name
  std::string repository;
  std::string repository_id;  ///< hexadecimal
  Time made;
  std::uint32_t slot = 0;  ///< that it opens
};

/// Adds a recovery slot for a fresh kit, which opened the repository by its own words before this returns: so
/// no kit exists that opens nothing. `key` opens the repository. Errors: those of split(),
/// repository::add_slot().
Result<Kit> make_kit(const std::filesystem::path& repository, const SecretBytes& key, const Scheme& scheme);

/// Removes the slot of a kit that nobody got. Errors: as repository::remove_slot().
Result<> take_back(const std::filesystem::path& repository, const SecretBytes& key, const Kit& kit);

/// The older recovery slots, by id. Errors: as repository::describe().
Result<std::vector<std::uint32_t>> other_recovery_slots(const std::filesystem::path& repository,
                                                        std::uint32_t but);

/// What the slot of a kit is called: "kit 4711, any 3 of 5".
std::string label_of(const Kit& kit);

}  // namespace zkv::recovery
