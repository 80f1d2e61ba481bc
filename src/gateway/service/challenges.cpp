// A short list, looked through from its start.
#include "gateway/service/challenges.h"

#include <algorithm>
#include <utility>

namespace zkv::gateway {
namespace {

bool have_one_owner(const ChallengeUse& left, const ChallengeUse& right) {
  return left.invite == right.invite && (!left.invite.empty() || left.approver == right.approver);
}

}  // namespace

void Challenges::add(const passkey::Challenge& challenge, ChallengeUse use, Time now) {
  make_room(use, now);
  entries_.push_back({challenge, std::move(use), now + life_});
}

void Challenges::make_room(const ChallengeUse& use, Time now) {
  while (!entries_.empty() && entries_.front().ends <= now) entries_.pop_front();
  const auto is_of_same_owner = [&](const Entry& entry) { return have_one_owner(entry.use, use); };
  const auto count = std::ranges::count_if(entries_, is_of_same_owner);
  if (static_cast<std::size_t>(count) < kMostEach) return;
  entries_.erase(std::ranges::find_if(entries_, is_of_same_owner));
}

std::optional<SpentChallenge> Challenges::spend(const passkey::Challenge& challenge, Time now) {
  const auto found = std::ranges::find(entries_, challenge, &Entry::challenge);
  if (found == entries_.end()) return std::nullopt;
  Entry entry = std::move(*found);
  entries_.erase(found);
  if (entry.ends <= now) return std::nullopt;
  return SpentChallenge{challenge, std::move(entry.use)};
}

void Challenges::forget(const ApproverId& approver) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.use.approver == approver; });
}

}  // namespace zkv::gateway
