// What the commands on volumes in a repository share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "commands.h"
#include "host/unlock_record.h"
#include "key_input.h"
#include "output.h"
#include "repository/repository.h"
#include "unlock/unlocker.h"

namespace zkv::cli {

/// Before anybody types a key. Errors: kNotFound and others of repository::format_of.
Result<> check_there(const Session& session);

/// The opened repository; its warning, if it has one, goes to stderr. Errors: as repository::open.
Result<repository::Opened> open_with_warning(const Session& session, const SecretBytes& key);

/// repository::edit(), after which what approvers are shown follows the repository, and what `zkv status` and
/// `zkv check` remember; the key of `changed` may be another now, and `change` can fill `renamed`.
Result<> edit_volumes(const Session& session, const SecretBytes& key,
                      const std::function<Result<>(repository::VolumeKeys& keys)>& change,
                      const std::string& changed = {}, const host::Renamed& renamed = {});

/// Remembers the names of the volumes anew, for approvers and for `zkv check`: the repository may be an older
/// one that was put back. What cannot be opened or kept is no reason to fail.
void remember_names(const Session& session, const SecretBytes& key);

/// Remembers for `zkv check` that the key in the repository was just seen to open this volume.
void keep_proof(const Session& session, unlock::Unlocker& unlocker, const unlock::VolumeRef& volume);

/// The unlocker of the kind that people name so. Errors: kInvalid, with the kinds that there are.
Result<std::unique_ptr<unlock::Unlocker>> unlocker_named(const std::string& kind);
/// The names of all kinds, with commas between.
std::string words_of_kinds();

/// Puts a new volume into the repository, with what was derived while its key was tried. Errors: kExists and
/// others of repository::edit().
Result<> store_volume(const Session& session, const SecretBytes& repository_key,
                      const repository::VolumeKeys::Volume& volume,
                      const std::vector<unlock::DerivedFor>& derived = {});

struct RemoveOptions {
  KeyOptions key;
  bool force = false;
  std::string name;
};
/// A key that nobody else has is gone with its entry. What is not seen now may come back: a disk that is not
/// plugged in, a pool that is not imported, a copy; or have another name by now. Errors: kConflict, without
/// `force`.
Result<> check_not_needed(const repository::VolumeKeys& keys, const RemoveOptions& options);

/// The command that takes a volume out of the repository; `may_be` is asked first. Errors: those of `may_be`,
/// kNotFound without `force`, and of the repository.
Result<> remove_volume(Session& session, const RemoveOptions& options,
                       const std::function<Result<>(const repository::VolumeKeys&)>& may_be);

/// A JSON array of objects, with the keys if `keys` says so.
void print_volumes_json(Output& out, const std::vector<repository::VolumeKeys::Volume>& volumes, bool keys);

/// "loaded", "not-loaded", "served", "not-served", or why there is no key to load.
std::string key_word(const unlock::VolumeState& state);

}  // namespace zkv::cli
