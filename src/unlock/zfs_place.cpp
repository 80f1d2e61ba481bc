// A look after the mount cannot be outrun, as one before it can.
#include "unlock/zfs_place.h"

#include <algorithm>

#include "unlock/guarded_path.h"
#include "unlock/mount_table.h"

namespace zkv::unlock {

namespace {

std::string place_wanted(const std::string& mountpoint) {
  auto clean = clean_path(mountpoint);
  return check_guarded_way(clean) ? real_path(clean) : clean;
}

}  // namespace

ZfsPlaces zfs_places_in(std::string_view text) {
  ZfsPlaces places;
  for (auto& mounted : parse_mounted(text)) {
    if (mounted.type == "zfs") places[mounted.source].push_back(std::move(mounted.mountpoint));
  }
  return places;
}

Result<> check_came_up(const Dataset& dataset, const ZfsPlaces& mounted, const Unmount& unmount) {
  const auto found = mounted.find(dataset.name);
  if (found == mounted.end()) return {};
  const auto& places = found->second;
  // Where directories are shared, it shows in the copies of them as well.
  if (std::ranges::find(places, place_wanted(dataset.mountpoint)) != places.end()) return {};
  std::string why = "it came up at " + places.front() + ", not at " + clean_path(dataset.mountpoint) +
                    ": somebody changed the way there meanwhile; it was unmounted";
  for (const auto& place : places) {
    const auto gone = unmount(place, Unmounting::kAtOnce);
    if (!gone) why += ", which failed: " + gone.error().message();
  }
  return Error::denied(std::move(why));
}

}  // namespace zkv::unlock
