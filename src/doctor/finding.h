// What the doctor says of one thing that will go wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zkv::doctor {

enum class Weight {
  kMend,  ///< the next boot opens less than it should, waits, or asks somebody at the console
  kNote,  ///< it works, and could be safer
};

/// What one check found in one place.
struct Found {
  std::string where;   ///< a path, a unit, a volume, an address
  std::string what;    ///< a sentence without its end
  std::string remedy;  ///< a command, or what to write where
};

struct Finding {
  std::string_view slug;  ///< names the check, and its section of docs/doctor.md
  Weight weight = Weight::kMend;
  Found found;
};

}  // namespace zkv::doctor
