// A map under a lock.
#include "unlock/key_shelf.h"

#include <algorithm>

namespace zkv::unlock {

namespace {

/// "app@1.service" is an instance of "app@.service".
std::string template_of(const std::string& unit) {
  const auto at = unit.find('@');
  const auto dot = unit.rfind('.');
  if (at == std::string::npos || dot == std::string::npos || dot < at) return unit;
  return unit.substr(0, at + 1) + unit.substr(dot);
}

bool may_have_it(const std::vector<std::string>& units, const std::string& unit) {
  return units.empty() || std::any_of(units.begin(), units.end(), [&](const std::string& one) {
           return one == unit || one == template_of(unit);
         });
}

Error none_of(ShelfKind kind) {
  return Error::not_found(kind == ShelfKind::kVolume ? "there is no key for a volume of that name here"
                                                     : "there is no secret of that name here");
}

}  // namespace

void KeyShelf::put(ShelfKind kind, const std::string& name, std::span<const std::uint8_t> key,
                   std::vector<std::string> units) {
  auto copy = std::make_shared<const SecretBytes>(SecretBytes::copy_of(key));
  const std::lock_guard lock(mutex_);
  items_[{kind, name}] = {std::move(copy), std::move(units)};
}

void KeyShelf::withhold(const std::string& volume, std::string why) {
  const std::lock_guard lock(mutex_);
  withheld_[volume] = std::move(why);
}

Result<KeyShelf::Key> KeyShelf::hand_out(ShelfKind kind, const std::string& name, const std::string& unit) {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find({kind, name});
  if (found == items_.end()) {
    const auto why = kind == ShelfKind::kVolume ? withheld_.find(name) : withheld_.end();
    return why == withheld_.end() ? none_of(kind) : Error::denied(why->second);
  }
  auto& item = found->second;
  if (!may_have_it(item.units, unit)) return Error::denied("this unit is not among those that may have it");
  item.was_handed_out = true;
  ++changes_;
  changed_.notify_all();
  return item.key;
}

void KeyShelf::drop(ShelfKind kind, const std::string& name) {
  const std::lock_guard lock(mutex_);
  items_.erase({kind, name});
  ++changes_;
  changed_.notify_all();
}

void KeyShelf::clear() {
  const std::lock_guard lock(mutex_);
  items_.clear();
  ++changes_;
  changed_.notify_all();
}

bool KeyShelf::holds(ShelfKind kind, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return items_.contains({kind, name});
}

std::size_t KeyShelf::count(ShelfKind kind) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(items_.begin(), items_.end(),
                                                [&](const auto& item) { return item.first.first == kind; }));
}

std::vector<std::string> KeyShelf::volumes_handed_out() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [place, item] : items_) {
    if (place.first == ShelfKind::kVolume && item.was_handed_out) names.push_back(place.second);
  }
  return names;
}

std::uint64_t KeyShelf::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

void KeyShelf::await_change(std::uint64_t seen, std::chrono::milliseconds limit,
                            const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, limit, [&] { return changes_ != seen; });
}

}  // namespace zkv::unlock
