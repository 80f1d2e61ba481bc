// Giving the repository's volumes other keys, so that whoever holds an older repository, or the keys
// themselves, opens them no more.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "host/boot.h"
#include "unlock/system_volumes.h"

namespace zkv::host {

struct VolumeChange {
  enum class Happened {
    kChanged,
    kLeftAlone,  ///< `why`; its key is what it was
    kPending,    ///< `why`; the repository holds both keys, and resume_volume_changes() goes on
  };
  std::string volume;
  std::string kind;  ///< empty: not known any more
  Happened happened = Happened::kChanged;
  std::string why = {};
  std::string remedy = {};
  repository::VolumeSettings settings = {};
};

using AfterChange = std::function<void(const VolumeChange&)>;

/// The volumes whose key is being changed: begun, and not known to be done. Errors: those of
/// repository::open().
Result<std::vector<std::string>> pending_volume_changes(const std::filesystem::path& repository,
                                                        const SecretBytes& key);

/// Puts a new random key beside the old one for every volume that can have one, in one replacement of the
/// file; no volume is touched. Gives those that are left alone: a kind whose keys cannot be changed, and what
/// the `system` lies on, whose passphrase at the console is the way in when nobody can be asked, and whose
/// new key would lie behind itself. Errors: those of repository::edit().
Result<std::vector<VolumeChange>> begin_volume_changes(const std::filesystem::path& repository,
                                                       const SecretBytes& key, const Unlockers& unlockers,
                                                       const unlock::SystemVolumes& system);

/// Changes one volume after the other: its new key is given to it, tried, the old one taken away, and then
/// only the new one is held. Cut off anywhere, each volume opens by the key or the next key that the
/// repository holds, and the same call goes on. A volume that cannot be changed now stops no other. While one
/// is being changed nobody else writes the repository; what others did with it in between counts.
/// `after_change` is called for each that is changed, before the next. Errors: those of repository::open()
/// and edit().
Result<std::vector<VolumeChange>> resume_volume_changes(const std::filesystem::path& repository,
                                                        const SecretBytes& key, const Unlockers& unlockers,
                                                        const std::stop_token& stop,
                                                        const AfterChange& after_change);

}  // namespace zkv::host
