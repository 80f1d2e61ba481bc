// What became of ZFS volumes, in the words that a person reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unlock/unlocker.h"
#include "unlock/zfs_load.h"
#include "unlock/zfs_program.h"

namespace zkv::unlock {

Presence presence_of(std::string_view name, const Listing& listing);
VolumeState state_of(const std::string& name, const Listing& listing);

/// `error` in an outcome.
Outcome failure(std::string volume, Happened happened, const Error& error);
std::vector<Outcome> all_failed(const std::vector<std::string>& names, const Error& error);
/// For what is no volume that has a key of its own.
Outcome not_there(const std::string& name, const Listing& listing);

Outcome outcome_of(const std::string& name, const KeyLoaded& loaded, Attempt attempt);
/// The outcome where nothing is to be loaded.
std::optional<Outcome> settled_before_loading(const std::string& name, const Listing& listing,
                                              Attempt attempt);

Outcome closed(const std::string& name, const Result<>& unloaded);
/// The outcome where nothing is to be unloaded.
std::optional<Outcome> settled_before_unloading(const std::string& name, const Listing& listing);
bool is_busy(const Result<>& unloaded);

}  // namespace zkv::unlock
