// Opening and mounting in rounds: in each, whatever lies on nothing that is still closed.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "host/boot.h"
#include "repository/volume_keys.h"
#include "unlock/order.h"
#include "unlock/unlocker.h"

namespace zkv::host {

/// One sweep over all volumes of a repository. What a volume lies on is opened before it, and no filesystem
/// is mounted below a place where another is still to be mounted. Within a round family comes after family,
/// each mounted before the next is opened, so that one that hangs keeps none before it from being mounted. Of
/// one family all that can be opened is opened side by side, and its keys are wiped, before any of it is
/// mounted.
class Sweep {
 public:
  /// `keys`, all of kinds that `unlockers` open, `unlockers` and `report` outlive the sweep. `after_opening`
  /// is called whenever volumes of a kind were opened, their keys are wiped, and nothing that hangs on them
  /// is mounted yet.
  Sweep(repository::VolumeKeys& keys, const Unlockers& unlockers, MountReport& report, bool wants_mounts,
        std::stop_token stop, std::function<void(unlock::Unlocker&)> after_opening);

  /// Tries each volume once, and wipes its key then.
  void run();

 private:
  using Readiness = unlock::Survey::Readiness;

  /// Before anything is looked at. Gives what opened, for each kind.
  std::vector<std::vector<unlock::VolumeRef>> open_at_sight();
  /// Of what waits, and of `also`, for each kind.
  void look(const std::vector<std::vector<unlock::VolumeRef>>& also = {});
  [[nodiscard]] std::set<std::string> ready(std::initializer_list<Readiness> kinds) const;
  /// What stands in `to_mount`, for each kind, is open already, and is mounted with what now opens.
  void open_round(const std::set<std::string>& wanted, std::vector<std::vector<unlock::VolumeRef>> to_mount);
  /// The place behind the last kind that opens together with this one.
  [[nodiscard]] std::size_t end_of_family(std::size_t first) const;
  /// Opens what is wanted of the kinds from `first` to before `end`, and adds to `to_mount` what opened.
  void open(std::size_t first, std::size_t end, const std::set<std::string>& wanted,
            std::vector<std::vector<unlock::VolumeRef>>& to_mount);
  void mount(std::size_t kind, const std::vector<unlock::VolumeRef>& volumes);
  void hold_back(std::size_t kind, const std::vector<unlock::VolumeRef>& volumes, const std::string& name);
  void mount_held_back();
  [[nodiscard]] std::vector<std::string> held_places(const std::vector<unlock::VolumeRef>& but) const;
  void give_up_the_rest();
  void settle(std::size_t kind, const std::vector<unlock::VolumeRef>& volumes,
              std::vector<unlock::Outcome> outcomes);

  repository::VolumeKeys& keys_;
  const Unlockers& unlockers_;
  MountReport& report_;
  bool wants_mounts_;
  std::stop_token stop_;
  std::function<void(unlock::Unlocker&)> after_opening_;
  std::vector<unlock::Survey> surveys_;  ///< of every volume, as it was last seen closed
  std::set<std::string> waiting_;
  std::set<std::string> open_;
  std::set<std::string>
      to_come_;  ///< of those, what is not mounted yet, since others of its family come first
  std::set<std::string> mounted_places_;
  std::vector<std::vector<unlock::VolumeRef>> held_back_;  ///< for each kind, what is to be mounted again
  bool is_last_try_ = false;                               ///< then guesses hold nothing back any more
};

}  // namespace zkv::host
