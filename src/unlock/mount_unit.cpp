// LoadUnit, a look at what the unit is made of, and StartUnit.
#include "unlock/mount_unit.h"

#include <algorithm>
#include <array>
#include <optional>

#include "unlock/manager_bus.h"
#include "unlock/service_manager.h"

namespace zkv::unlock {

namespace {

constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";
constexpr std::array<std::string_view, 2> kOurs{"zfs-keyvault.service", "zfs-keyvault.target"};

bool is_plain(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == ':' || letter == '_' || letter == '.';
}

/// Of one unit.
class Look {
 public:
  Look(ManagerBus& bus, std::string object) : bus_(bus), object_(std::move(object)) {}

  Result<std::string> text(const char* name) {
    BusMessage answer(bus_.f());
    ZKV_CHECK(bus_.property(object_, kUnit, name, "s", answer));
    const char* value = nullptr;
    ZKV_CHECK(ManagerBus::checked(bus_.f().read(answer.get(), "s", &value), name));
    return std::string(value);
  }

  Result<bool> flag(const char* name) {
    BusMessage answer(bus_.f());
    ZKV_CHECK(bus_.property(object_, kUnit, name, "b", answer));
    int value = 0;
    ZKV_CHECK(ManagerBus::checked(bus_.f().read(answer.get(), "b", &value), name));
    return value != 0;
  }

  Result<std::vector<std::string>> words(const char* name) {
    BusMessage answer(bus_.f());
    ZKV_CHECK(bus_.property(object_, kUnit, name, "as", answer));
    ZKV_CHECK(ManagerBus::checked(bus_.f().enter(answer.get(), 'a', "s"), name));
    std::vector<std::string> found;
    while (true) {
      const char* value = nullptr;
      const int more = bus_.f().read(answer.get(), "s", &value);
      ZKV_CHECK(ManagerBus::checked(more, name));
      if (more == 0) return found;
      found.emplace_back(value);
    }
  }

 private:
  ManagerBus& bus_;
  std::string object_;
};

/// Whether the unit is made of fstab as it is now, and does not wait for us.
Result<bool> is_startable(ManagerBus& bus, const std::string& unit, const std::filesystem::path& fstab) {
  ZKV_TRY(auto object, bus.object_of(unit, "LoadUnit"));
  Look look(bus, std::move(object));
  ZKV_TRY(const auto source, look.text("SourcePath"));
  if (source != fstab) return false;
  ZKV_TRY(const bool is_outdated, look.flag("NeedDaemonReload"));
  if (is_outdated) return false;
  ZKV_TRY(const auto after, look.words("After"));
  return std::none_of(kOurs.begin(), kOurs.end(), [&](std::string_view ours) {
    return std::find(after.begin(), after.end(), ours) != after.end();
  });
}

Error told_end(const std::string& unit, const std::string& what, const std::string& word) {
  const std::string why = word == "dependency" ? "what it needs failed, such as the check of the filesystem"
                                               : "its start ended with '" + word + "'";
  return Error::io("systemd " + what + ": " + why + "; see systemctl --failed, and systemctl status '" +
                   unit + "'");
}

/// Nothing where there is none, or it does not answer.
std::optional<ManagerBus> reach(const MountManager& manager) {
  if (!can_use_manager(manager.socket)) return std::nullopt;
  auto bus = ManagerBus::connect(manager.socket);
  return bus ? std::optional(std::move(*bus)) : std::nullopt;
}

bool is_check(const std::string& unit) { return unit.starts_with("systemd-fsck@"); }

/// Whether a check of a filesystem runs that the unit is, or waits for.
Result<bool> is_being_checked(ManagerBus& bus, const std::string& unit) {
  ZKV_TRY(auto object, bus.object_of(unit, "LoadUnit"));
  ZKV_TRY(auto units, Look(bus, std::move(object)).words("After"));
  units.push_back(unit);
  for (const auto& one : units) {
    if (!is_check(one)) continue;
    ZKV_TRY(const auto state, bus.state_of(one));
    if (state == "activating") return true;
  }
  return false;
}

/// How the job ended.
Result<std::string> end_of(ManagerBus& bus, const std::string& job, const std::string& unit,
                           const MountManager& manager, const std::stop_token& stop) {
  auto until = BusClock::now() + manager.limit;
  while (true) {
    auto end = bus.end_of(job, std::min(until, BusClock::now() + manager.looks), stop);
    if (end || end.error().kind() != ErrorKind::kUnavailable) return end;
    const auto checked = is_being_checked(bus, unit);
    if (checked && *checked) {
      until = BusClock::now() + manager.limit;
      if (manager.on_check) manager.on_check(2 * manager.looks + std::chrono::minutes(1));
    } else if (BusClock::now() >= until) {
      return Error::unavailable("systemd is still at it: see systemctl status '" + unit +
                                "', and what it waits for in systemctl list-jobs");
    }
  }
}

/// `what` is told of systemd where the unit fails.
Result<UnitStart> start_and_wait(ManagerBus& bus, const std::string& unit, const std::string& what,
                                 const MountManager& manager, const std::stop_token& stop) {
  BusMessage call(bus.f());
  ZKV_CHECK(bus.begin_call(call, "StartUnit"));
  call.append("ss", unit.c_str(), "replace");
  ZKV_TRY(const auto job, bus.job_of(call, "org.freedesktop.systemd1.NoSuchUnit"));
  if (!job) return UnitStart::kNone;
  ZKV_TRY(const auto end, end_of(bus, *job, unit, manager, stop));
  if (end != "done") return told_end(unit, what, end);
  return UnitStart::kDone;
}

}  // namespace

std::string unit_name_of(const std::string& path) {
  std::string name;
  for (const char letter : path.substr(std::min<std::size_t>(1, path.size()))) {
    const bool is_first_dot = letter == '.' && name.empty();
    if (letter == '/') {
      name += '-';
    } else if (is_plain(letter) && !is_first_dot) {
      name += letter;
    } else {
      static constexpr std::string_view kDigits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(letter);
      name += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return name.empty() ? "-" : name;
}

Result<UnitStart> start_mount_unit(const std::string& place, const MountManager& manager,
                                   const std::stop_token& stop) {
  auto bus = reach(manager);
  if (!bus) return UnitStart::kNone;
  const auto unit = unit_name_of(place) + ".mount";
  const auto startable = is_startable(*bus, unit, manager.fstab);
  if (!startable || !*startable) return UnitStart::kNone;
  return start_and_wait(*bus, unit, "did not mount it", manager, stop);
}

Result<UnitStart> start_check(const std::string& device, const MountManager& manager,
                              const std::stop_token& stop) {
  auto bus = reach(manager);
  if (!bus) return UnitStart::kNone;
  const auto unit = "systemd-fsck@" + unit_name_of(device) + ".service";
  return start_and_wait(*bus, unit, "found its filesystem damaged, or could not check it", manager, stop);
}

}  // namespace zkv::unlock
