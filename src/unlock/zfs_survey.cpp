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

}  // namespace

std::vector<Survey> survey_zfs(const std::vector<std::string>& names, const Listing& listing) {
  std::vector<Survey> surveys;
  surveys.reserve(names.size());
  for (const auto& name : names) {
    const bool has_pool = !is_dataset_name(name) || listing.datasets.contains(pool_of(name));
    surveys.push_back(zfs_survey_of(name, listing, has_pool));
  }
  return surveys;
}

}  // namespace zkv::unlock
