// Source: the kernel's Documentation/ABI/testing/sysfs-block; for the UUIDs and names that LVM gives to its
// devices, lvm2's libdm/libdm-string.c.
#include "unlock/layers.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "base/plain_text.h"
#include "unlock/block_devices.h"
#include "unlock/crypt_content.h"
#include "unlock/mount_table.h"
#include "unlock/mount_unit.h"
#include "unlock/service_manager.h"
#include "unlock/sysfs.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::minutes kLayerLimit{2};

/// What sysfs tells of a block device.
class Node {
 public:
  Node(const fs::path& blocks, std::string name) : blocks_(blocks), name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string mapped_as() const { return first_line(folder() / "dm" / "name"); }
  [[nodiscard]] std::string number() const { return first_line(folder() / "dev"); }
  [[nodiscard]] std::vector<Node> holders() const { return nodes_in("holders"); }
  [[nodiscard]] std::vector<Node> slaves() const { return nodes_in("slaves"); }
  [[nodiscard]] bool is_of_cryptsetup() const { return uuid().starts_with("CRYPT-"); }
  [[nodiscard]] bool is_array() const { return !first_line(folder() / "md" / "array_state").empty(); }
  /// One that LVM shows to people: what it keeps for itself has a word behind the same two identifiers.
  [[nodiscard]] bool is_logical_volume() const {
    static constexpr std::size_t kIdentifiers = 2 * 32;
    return is_of_lvm() && uuid().size() == std::string_view("LVM-").size() + kIdentifiers;
  }
  [[nodiscard]] bool is_of_lvm() const { return uuid().starts_with("LVM-"); }
  [[nodiscard]] bool is_snapshot() const {
    const auto below = slaves();
    return std::any_of(below.begin(), below.end(),
                       [](const Node& one) { return one.uuid().ends_with("-cow"); });
  }

 private:
  [[nodiscard]] fs::path folder() const { return blocks_ / name_; }
  [[nodiscard]] std::string uuid() const { return first_line(folder() / "dm" / "uuid"); }
  [[nodiscard]] std::vector<Node> nodes_in(const char* what) const {
    std::vector<Node> nodes;
    for (auto& name : names_in(folder() / what)) nodes.emplace_back(blocks_, std::move(name));
    return nodes;
  }

  fs::path blocks_;
  std::string name_;
};

struct Above {
  std::vector<Node> nodes;     ///< each before what it lies on
  std::vector<Node> mappings;  ///< of cryptsetup; what lies on those is theirs, and left out
};

bool is_among(const Node& node, const std::vector<Node>& nodes) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const Node& one) { return one.name() == node.name(); });
}

void add_above(const Node& node, Above& above) {
  for (const auto& holder : node.holders()) {
    if (is_among(holder, above.nodes) || is_among(holder, above.mappings)) continue;
    if (holder.is_of_cryptsetup()) {
      above.mappings.push_back(holder);
      continue;
    }
    add_above(holder, above);
    above.nodes.push_back(holder);
  }
}

Above above_of(const Mapping& mapping, const fs::path& blocks) {
  Above above;
  add_above({blocks, mapping.node}, above);
  return above;
}

void add_under(const Node& node, std::set<std::string>& names) {
  if (node.is_of_cryptsetup()) names.insert(node.mapped_as());
  for (const auto& slave : node.slaves()) add_under(slave, names);
}

/// "GROUP/VOLUME" from "GROUP-VOLUME", where a hyphen of either name is doubled.
std::string volume_in_group(const std::string& mapped_as) {
  std::string words;
  for (std::size_t i = 0; i < mapped_as.size(); ++i) {
    const bool is_doubled = mapped_as.compare(i, 2, "--") == 0;
    words += mapped_as[i] == '-' && !is_doubled ? '/' : mapped_as[i];
    if (is_doubled) ++i;
  }
  return words;
}

/// By systemd where it is there: LVM writes where our sandbox does not, and locks its memory.
Result<> run_outside(const std::string& name, std::vector<std::string> words, const CryptOptions& options,
                     const std::stop_token& stop = {}) {
  if (!can_use_manager(options.manager)) {
    return run_tool(name, std::move(words), 0, kLayerLimit).map([](const std::string&) {});
  }
  ZKV_TRY(auto program, find_program(name));
  const auto about = program.filename().string() + " " + words.back();
  const TransientService service{
      "zkv-" + unit_name_of("/" + program.filename().string() + "-" + words.back()), about,
      Command{std::move(program), std::move(words), {}, kLayerLimit}};
  ZKV_TRY(const auto finished, run_as_service(service, options.manager, stop));
  if (finished.exit_code == 0) return {};
  const auto complaint = plain_text(finished.errors.substr(0, finished.errors.find('\n')));
  return Error::io(about + ": " +
                   (complaint.empty() ? "code " + std::to_string(finished.exit_code) : complaint));
}

/// Those that hold a part of a volume group.
std::vector<std::string> members_among(const std::vector<std::string>& devices, const CryptOptions& options) {
  std::vector<std::string> members;
  std::copy_if(devices.begin(), devices.end(), std::back_inserter(members), [&](const std::string& device) {
    const auto types = types_on(device, options);
    return types && types->substr(0, types->find('\n')) == "LVM2_member";
  });
  return members;
}

struct GroupParts {
  std::vector<std::string> devices;
  unsigned missing = 0;  ///< so many more belong to it
};

/// By the group's name; a part of no group yet is left out.
Result<std::map<std::string, GroupParts>> groups_of(const std::vector<std::string>& members,
                                                    const CryptOptions& options) {
  std::vector<std::string> words{"--noheadings", "-o", "vg_missing_pv_count,pv_name,vg_name", "--"};
  words.insert(words.end(), members.begin(), members.end());
  ZKV_TRY(const auto table, run_tool(options.pvs, std::move(words), 0, kLayerLimit));
  std::map<std::string, GroupParts> groups;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream stream(line);
    unsigned missing = 0;
    std::string called;
    std::string group;
    if (!(stream >> missing >> called >> group)) continue;
    groups[group].missing = missing;
    // LVM may call it by another of its paths.
    const auto device = std::find_if(members.begin(), members.end(), [&](const std::string& member) {
      return real_path(member) == real_path(called);
    });
    if (device != members.end()) groups[group].devices.push_back(*device);
  }
  return groups;
}

Result<> activate(const std::string& group, unsigned missing, const CryptOptions& options,
                  const std::stop_token& stop) {
  if (missing == 0) return run_outside(options.vgchange, {"--activate", "ay", "--", group}, options, stop);
  return Error::conflict("the volume group " + group + " waits for " + std::to_string(missing) +
                         " more of its disks");
}

}  // namespace

TopDevice itself(const Mapping& mapping, const CryptOptions& options) {
  return {options.devices / "mapper" / mapping.name, mapping.node, mapping.number};
}

std::vector<TopDevice> tops_of(const Mapping& mapping, const CryptOptions& options) {
  const auto mapper = options.devices / "mapper";
  const Node self(options.blocks, mapping.node);
  if (self.holders().empty()) return {itself(mapping, options)};
  std::vector<TopDevice> tops;
  const auto above = above_of(mapping, options.blocks);
  for (const auto& node : above.nodes) {
    const bool is_held = !node.holders().empty();
    const bool is_lvms_own = node.is_of_lvm() && !node.is_logical_volume();
    if (is_held || is_lvms_own || node.is_snapshot()) continue;
    const auto name = node.mapped_as();
    tops.push_back(
        {name.empty() ? options.devices / node.name() : mapper / name, node.name(), node.number()});
  }
  std::sort(tops.begin(), tops.end(), [](const TopDevice& a, const TopDevice& b) { return a.path < b.path; });
  return tops;
}

std::vector<std::string> mappings_under(const std::string& device, const fs::path& devices,
                                        const fs::path& blocks) {
  const auto found = find_device(device, devices);
  if (!found) return {};
  std::set<std::string> names;
  add_under({blocks, found->filename()}, names);
  return {names.begin(), names.end()};
}

std::vector<std::string> mappings_over(const Mapping& mapping, const fs::path& blocks) {
  const auto above = above_of(mapping, blocks);
  std::vector<std::string> names;
  names.reserve(above.mappings.size());
  for (const auto& node : above.mappings) names.push_back(node.mapped_as());
  return names;
}

std::map<std::string, Error> activate_groups(const std::vector<std::string>& devices,
                                             const CryptOptions& options, const std::stop_token& stop) {
  std::map<std::string, Error> failed;
  const auto members = members_among(devices, options);
  if (members.empty()) return failed;
  const auto groups = groups_of(members, options);
  if (!groups) {
    for (const auto& device : members) failed.emplace(device, groups.error());
    return failed;
  }
  for (const auto& [group, parts] : *groups) {
    const auto active = activate(group, parts.missing, options, stop);
    if (active) continue;
    for (const auto& device : parts.devices) failed.emplace(device, active.error());
  }
  return failed;
}

Result<> take_down(const Mapping& mapping, const CryptOptions& options) {
  const auto above = above_of(mapping, options.blocks);
  for (const auto& node : above.nodes) {
    if (node.number().empty()) continue;  // gone with another
    if (node.is_logical_volume()) {
      ZKV_CHECK(run_outside(options.lvchange,
                            {"--yes", "--activate", "n", "--", volume_in_group(node.mapped_as())}, options));
    } else if (node.is_array()) {
      ZKV_CHECK(run_outside(options.mdadm, {"--stop", options.devices / node.name()}, options));
    }
  }
  return {};
}

}  // namespace zkv::unlock
