// Longest prefix wins: a path belongs to the volume whose device or mount point is nearest above it.
#include "unlock/order.h"

#include <algorithm>
#include <set>

namespace zkv::unlock {

namespace {

/// How much of `need` one of `paths` covers; 0 where none does.
std::size_t longest_cover(std::string_view need, const std::vector<std::string>& paths) {
  std::size_t longest = 0;
  for (const auto& path : paths) {
    if (lies_within(need, path)) longest = std::max(longest, path.size());
  }
  return longest;
}

std::vector<std::string> owners_of(std::string_view need, const std::vector<Survey>& surveys) {
  std::size_t longest = 0;
  std::vector<std::string> owners;
  for (const auto& survey : surveys) {
    const auto cover = std::max({longest_cover(need, survey.devices), longest_cover(need, survey.places),
                                 longest_cover(need, survey.maybe_places)});
    if (cover == 0 || cover < longest) continue;
    if (cover > longest) owners.clear();
    longest = cover;
    owners.push_back(survey.volume);
  }
  return owners;
}

}  // namespace

bool lies_within(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  if (directory.empty() || !path.starts_with(directory)) return false;
  return path.size() == directory.size() || path[directory.size()] == '/';
}

std::optional<std::string> held_by(std::string_view path, const std::vector<std::string>& directories) {
  const auto found = std::find_if(directories.begin(), directories.end(), [&](const std::string& directory) {
    return path != directory && lies_within(path, directory);
  });
  return found == directories.end() ? std::nullopt : std::optional(*found);
}

Order::Order(const std::vector<Survey>& surveys) {
  for (const auto& survey : surveys) {
    std::set<std::string> all;
    for (const auto& need : survey.needs) {
      const auto owners = owners_of(need, surveys);
      all.insert(owners.begin(), owners.end());
    }
    below_[survey.volume] = {all.begin(), all.end()};
  }
}

std::vector<std::string> Order::below(const std::string& volume) const {
  const auto found = below_.find(volume);
  return found == below_.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> Order::cycle_through(const std::string& volume) const {
  std::set<std::string> seen;
  std::vector<std::vector<std::string>> ways{{volume}};
  while (!ways.empty()) {
    const auto way = std::move(ways.back());
    ways.pop_back();
    for (const auto& next : below(way.back())) {
      auto longer = way;
      longer.push_back(next);
      if (next == volume) return longer;
      if (seen.insert(next).second) ways.push_back(std::move(longer));
    }
  }
  return {};
}

}  // namespace zkv::unlock
