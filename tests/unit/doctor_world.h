// A made-up machine on which all is well, and what the doctor finds once one thing of it is spoilt.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "doctor/checks.h"
#include "doctor/tables.h"

namespace zkv::doctor {

inline constexpr Time kNow{std::chrono::hours(24 * 365 * 56)};

inline Unit unit(const std::string& text, std::vector<std::string> wanted_by = {"multi-user.target"}) {
  Unit made{.file = "/lib/systemd/system/some.service", .wanted_by = std::move(wanted_by)};
  read_unit_text(text, made);
  return made;
}

/// A machine on which all is well.
inline Facts healthy() {
  Facts facts;
  facts.now = kNow;
  facts.repository = "/var/lib/zkv/repository";
  facts.has_zfs = true;
  facts.pool_cache = "a list with tank in it";
  facts.units["zfs-keyvault.service"] = unit(
      "[Unit]\nAfter=network.target "
      "time-set.target\n[Service]\nTimeoutStartSec=15min\nLimitMEMLOCK=64M\n");
  facts.units["zfs-import-cache.service"] = unit("");
  facts.units["zfs-mount.service"] = unit("");
  facts.units["systemd-timesyncd.service"] = unit("", {"sysinit.target"});
  facts.volumes = {{"tank/home", "zfs", "", "/home"}, {"data", "luks", "UUID=12", "/srv/data"}};
  facts.description.emplace();
  facts.description->format = repository::Format::kVersion2;
  facts.description->outside.emplace();
  auto& outside = *facts.description->outside;
  outside.header = {{1}, 5, kNow - std::chrono::hours(1)};
  outside.slots.resize(2);
  outside.slots[0].id = 1;
  outside.slots[1].id = 2;
  outside.slots[1].type = repository::SlotType::kGateway;
  outside.slots[1].parameters = repository::gateway_parameters({7});
  auto& enrolment = facts.enrolments.emplace_back();
  enrolment.address = "https://kv.example";
  enrolment.gateway = {7};
  enrolment.repository = {1};
  enrolment.slot = 2;
  auto& gateway = facts.gateways.emplace_back();
  gateway.address = enrolment.address;
  gateway.certificate_ends = kNow + std::chrono::hours(24 * 60);
  facts.files.push_back({facts.repository, "the repository", 0, 0600, true, false});
  facts.swaps.push_back({"/dev/dm-0", true});
  return facts;
}

inline std::vector<std::string> slugs(const Facts& facts) {
  std::vector<std::string> all;
  for (const auto& finding : examine(facts)) all.emplace_back(finding.slug);
  return all;
}

/// What is found once `spoil` has done one thing to a healthy machine.
inline std::vector<std::string> found_after(const std::function<void(Facts&)>& spoil) {
  Facts facts = healthy();
  spoil(facts);
  return slugs(facts);
}

}  // namespace zkv::doctor
