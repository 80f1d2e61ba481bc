// A second round for those that the first key did not open.
#include "unlock/either_key.h"

namespace zkv::unlock {

namespace {

/// A key of another form counts as wrong: the form may have changed with the key.
bool may_have_the_next(const Unlocker::Volume& volume, const Outcome& outcome) {
  return !volume.next_key.empty() &&
         (outcome.happened == Happened::kWrongKey || outcome.happened == Happened::kUnusableKey);
}

}  // namespace

std::vector<Outcome> open_by_either_key(Unlocker& unlocker, std::span<const Unlocker::Volume> volumes,
                                        Attempt attempt, const std::stop_token& stop) {
  auto outcomes = unlocker.open(volumes, attempt, stop);
  std::vector<Unlocker::Volume> again;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    if (!may_have_the_next(volumes[i], outcomes[i])) continue;
    again.push_back(volumes[i]);
    again.back().key = volumes[i].next_key;
    again.back().derived.reset();
    places.push_back(i);
  }
  if (again.empty()) return outcomes;
  auto second = unlocker.open(again, attempt, stop);
  for (std::size_t i = 0; i < again.size(); ++i) {
    if (is_success(second[i].happened)) outcomes[places[i]] = std::move(second[i]);
  }
  return outcomes;
}

}  // namespace zkv::unlock
