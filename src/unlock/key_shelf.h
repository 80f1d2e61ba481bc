// Keys that lie ready for others to fetch: volumes' for systemd-cryptsetup, secrets for units.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::unlock {

enum class ShelfKind { kVolume, kSecret };

/// Several threads may use it at once.
class KeyShelf {
 public:
  using Key = std::shared_ptr<const SecretBytes>;

  /// Lays out a copy of `key`. With `units` only those get it: names as systemd has them, or "NAME@.service"
  /// for every instance of that.
  void put(ShelfKind kind, const std::string& name, std::span<const std::uint8_t> key,
           std::vector<std::string> units = {});

  /// Who asks for the key of that volume while none lies here is told why there is none.
  void withhold(const std::string& volume, std::string why);

  /// The key, which lives as long as anybody holds what is returned. `unit` is who asks; without meaning for
  /// a volume. Errors: kNotFound, kDenied (not a unit that may have it, or a key that is withheld).
  Result<Key> hand_out(ShelfKind kind, const std::string& name, const std::string& unit = {});

  /// Takes it off the shelf, which wipes it unless it is being handed out at the moment. Why another is
  /// withheld stays known.
  void drop(ShelfKind kind, const std::string& name);
  void clear();

  [[nodiscard]] bool holds(ShelfKind kind, const std::string& name) const;
  [[nodiscard]] std::size_t count(ShelfKind kind) const;
  /// The volumes that were handed out at least once, and are still here.
  [[nodiscard]] std::vector<std::string> volumes_handed_out() const;

  /// How often something was handed out or taken away so far.
  [[nodiscard]] std::uint64_t changes() const;
  /// Waits until that is no longer `seen`, at most for `limit`, or until a stop is asked for.
  void await_change(std::uint64_t seen, std::chrono::milliseconds limit, const std::stop_token& stop) const;

 private:
  struct Item {
    Key key;
    std::vector<std::string> units;
    bool was_handed_out = false;
  };

  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::map<std::pair<ShelfKind, std::string>, Item> items_;
  std::map<std::string, std::string> withheld_;  ///< volumes, and why
  std::uint64_t changes_ = 0;
};

}  // namespace zkv::unlock
