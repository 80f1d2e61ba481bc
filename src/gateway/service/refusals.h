// What was refused before it reached a request, gathered so that an attacker cannot fill the audit log.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "gateway/audit/row.h"

namespace zkv::gateway {

/// The first of a kind and address is a row at once; those that follow within the same minute are one row at
/// its end, with their number. At most kMostRows kinds and addresses are told apart in a minute; all beyond
/// are counted together as "refused.other". Thread-safe.
class Refusals {
 public:
  static constexpr std::size_t kMostRows = 60;

  /// The rows to be written now: one or none. Of `request`, if it is about one; what follows names it as long
  /// as all is about the same.
  std::vector<audit::Event> note(const std::string& kind, const std::string& address,
                                 const std::string& detail, Time now, const std::string& request = {});
  /// The rows of the minutes that have ended.
  std::vector<audit::Event> ended(Time now);
  /// All that is still gathered, when the gateway stops.
  std::vector<audit::Event> all();
  [[nodiscard]] std::optional<Time> next() const;

 private:
  using Key = std::pair<std::string, std::string>;  // kind, address
  struct Gathered {
    Time since;
    std::uint64_t more = 0;
    std::string detail;
    std::string request;
  };

  static audit::Event row_of(const Key& key, const Gathered& gathered, Time at);

  mutable std::mutex mutex_;
  std::map<Key, Gathered> gathered_;
};

}  // namespace zkv::gateway
