// What changed since the repository was last open, as far as it shows without a key.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/adoptable.h"
#include "host/boot.h"
#include "host/drift_record.h"
#include "host/enrolment.h"
#include "repository/change.h"
#include "repository/slot.h"

namespace zkv::host {

/// What ends within this time ends soon.
inline constexpr std::chrono::hours kSoon{24 * 14};

/// Something that a boot may founder on.
struct Finding {
  std::string about;   ///< a volume, a unit, a gateway, a path
  std::string what;    ///< is wrong with it
  std::string remedy;  ///< the command that mends it, or what to do; may be empty

  [[nodiscard]] std::string text() const { return about + ": " + what; }
};

struct Drift {
  std::vector<Finding> findings;
  std::vector<std::string> notes;  ///< what cannot be told without a key, and is no reason to worry
};

/// Compares the volumes of `record` with what is there; `names` are those of volumes that the record may
/// lack. Loads nothing, and changes nothing.
Drift find_drift(const DriftRecord& record, const std::vector<std::string>& names, const Unlockers& unlockers,
                 const AdoptablePlaces& places = {});

/// The same of DriftRecord::accepted, for what was found.
std::string accepted_name(const Adoptable& volume, const Unlockers& unlockers);
/// Accepts all that find_drift() would call missing from the repository. Errors: those of find_adoptable().
Result<std::vector<std::string>> accept_strangers(DriftRecord& record, const std::vector<std::string>& names,
                                                  const Unlockers& unlockers,
                                                  const AdoptablePlaces& places = {});

/// Of each slot that a gateway's share opens, where no enrolment says which: at boot that gateway is not
/// asked.
std::vector<Finding> lost_enrolments(const std::vector<repository::Slot>& slots,
                                     const std::vector<Enrolment>& enrolments, const std::string& repository);

/// Why that gateway's share cannot open this repository, as far as it can be seen from outside; nothing where
/// it can.
std::optional<Finding> misfit_of(const Enrolment& enrolment, const repository::Description& repository);

/// Both for all enrolments with this repository.
std::vector<Finding> enrolment_findings(const repository::Description& repository,
                                        const std::vector<Enrolment>& enrolments, const std::string& path);

/// Of the volumes whose keys are being changed, all in one: the change was cut off.
std::optional<Finding> finding_of_changes(const DriftRecord& record);

/// What a volume's outcome means for a boot; nothing where it was a success.
std::optional<Finding> finding_of(const unlock::Outcome& outcome);
/// Nothing for an end that is unknown, or later than kSoon.
std::optional<Finding> finding_of_end(const std::string& about, const std::string& what,
                                      std::optional<Time> end, Time now, const std::string& remedy);

}  // namespace zkv::host
