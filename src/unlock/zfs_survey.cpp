// Properties tell where filesystems will be mounted, locked or not.
#include "unlock/zfs_survey.h"

#include "unlock/zfs_mount.h"
#include "unlock/zvol_use.h"

namespace zkv::unlock {

namespace {

/// What can be told of a volume, locked or not, from the datasets that hang on its key.
Survey zfs_survey_of(const std::string& name, const Listing& listing, bool has_pool) {
  Survey survey{name};
  if (!has_pool) {
    survey.readiness = Survey::Readiness::kLast;
    survey.devices = {zvol_link("/dev", std::string(pool_of(name)))};
    return survey;
  }
  survey.devices = {zvol_link("/dev", name)};
  for (const auto& [ignored, dataset] : listing.datasets) {
    if (dataset.encryption_root == name && wants_mount(dataset)) survey.places.push_back(dataset.mountpoint);
  }
  return survey;
}

/// The pools that are there among those of the datasets that are not.
Result<Names> pools_of_missing(const ZfsProgram& program, const Listing& listing) {
  Names asked;
  for (const auto& [name, reason] : listing.missing) asked.emplace(pool_of(name));
  Names there;
  if (asked.empty()) return there;
  ZKV_TRY(const auto pools, program.list({asked.begin(), asked.end()}, Depth::kNamed));
  for (const auto& [name, dataset] : pools.datasets) there.insert(name);
  return there;
}

}  // namespace

Result<std::vector<Survey>> survey_zfs(const std::vector<std::string>& names, const Listing& listing,
                                       const ZfsProgram& program) {
  ZKV_TRY(const auto pools, pools_of_missing(program, listing));
  std::vector<Survey> surveys;
  surveys.reserve(names.size());
  for (const auto& name : names) {
    const bool has_pool =
        listing.datasets.contains(name) || !is_dataset_name(name) || pools.contains(pool_of(name));
    surveys.push_back(zfs_survey_of(name, listing, has_pool));
  }
  return surveys;
}

}  // namespace zkv::unlock
