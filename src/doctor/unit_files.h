// systemd's units as their files say they will be at the next boot; the running manager is not asked, since
// it may know older files, and a mounted image has none. Source: systemd.unit(5).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/system.h"

namespace zkv::doctor {

struct Unit {
  std::string file;  ///< its path; empty where only drop-ins and links are there
  bool is_masked = false;
  bool hides_another = false;  ///< a file of this name that systemd would take if `file` were not there
  std::vector<std::string> wanted_by = {};  ///< units that start it, by links
  /// Name of a setting → its values in their order, drop-ins included; an empty one has taken back those
  /// before it, but for dependencies, which stay.
  std::map<std::string, std::vector<std::string>, std::less<>> settings = {};

  [[nodiscard]] bool is_there() const { return !file.empty() && !is_masked; }
  [[nodiscard]] bool is_enabled() const { return is_there() && !wanted_by.empty(); }
  /// The words of all values of a setting.
  [[nodiscard]] std::vector<std::string> words(std::string_view setting) const;
  /// The value that holds where a setting has one; empty: none.
  [[nodiscard]] std::string last(std::string_view setting) const;
  [[nodiscard]] bool names(std::string_view setting, std::string_view word) const;
};

using Units = std::map<std::string, Unit, std::less<>>;

/// Enters the settings of one file's text.
void read_unit_text(std::string_view text, Unit& unit);

/// All units that administrator and packages have installed, instances that something wants too.
Units read_units(const System& system);

}  // namespace zkv::doctor
