// Questions that several checks ask.
#include "doctor/facts.h"

#include <sstream>

#include "unlock/order.h"

namespace zkv::doctor {

const Unit& unit_of(const Facts& facts, std::string_view name) {
  static const Unit none;
  const auto found = facts.units.find(name);
  return found == facts.units.end() ? none : found->second;
}

std::vector<std::string> configured_gateways(const Facts& facts) {
  std::vector<std::string> addresses;
  const auto given = facts.service_settings.find("GATEWAY_URI");
  if (given == facts.service_settings.end()) return addresses;
  std::istringstream stream(given->second);
  for (std::string word; stream >> word;) addresses.push_back(word);
  return addresses;
}

const VolumeFacts* volume_over(const Facts& facts, std::string_view path) {
  for (const auto& volume : facts.volumes) {
    if (volume.holds_system || !volume.place.starts_with('/')) continue;
    if (volume.place != "/" && unlock::lies_within(path, volume.place)) return &volume;
  }
  return nullptr;
}

}  // namespace zkv::doctor
