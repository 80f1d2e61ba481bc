// A list of what is known, and a thread that asks for what is not. Name servers are read anew for each batch,
// as the network may have come or changed since.
#include "gateway/http/network_names.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <stop_token>
#include <utility>

namespace zkv::gateway::http {

namespace {

constexpr std::size_t kMostKnown = 1'024;
constexpr std::size_t kMostAtOnce = 32;

}  // namespace

Result<std::unique_ptr<NetworkNames>> NetworkNames::start(NetworkNamesOptions options) {
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.is_open()) return Error::system("cannot make an eventfd", errno);
  return std::make_unique<NetworkNames>(std::move(options), std::move(wake));
}

NetworkNames::NetworkNames(NetworkNamesOptions options, FileDescriptor wake)
    : options_(std::move(options)), wake_(std::move(wake)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

NetworkNames::~NetworkNames() {
  thread_.request_stop();
  wake();
  thread_.join();
}

std::optional<std::string> NetworkNames::name_of(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(address);
  if (found == known_.end() && !make_room()) return std::nullopt;
  auto& known = known_[address];
  if (!known.is_asked && Clock::now() >= known.until) {
    known.is_asked = true;
    wanted_.push_back(address);
    wake();
    changed_.notify_all();
  }
  if (known.name.empty()) return std::nullopt;
  return known.name;
}

void NetworkNames::settle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return std::ranges::none_of(known_, [](const auto& entry) { return entry.second.is_asked; });
  });
}

/// Under the lock. What is over makes room; where nothing is, there is none: somebody asks from very many
/// addresses, and names are the least of it.
bool NetworkNames::make_room() {
  if (known_.size() < kMostKnown) return true;
  std::erase_if(known_, [now = Clock::now()](const auto& entry) {
    return !entry.second.is_asked && now >= entry.second.until;
  });
  return known_.size() < kMostKnown;
}

void NetworkNames::wake() { ::eventfd_write(wake_.get(), 1); }

void NetworkNames::work(const std::stop_token& stop) {
  while (wait_for_wanted(stop)) look_up(stop);
}

bool NetworkNames::wait_for_wanted(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return !wanted_.empty(); }) && !stop.stop_requested();
}

std::vector<std::string> NetworkNames::take_wanted(std::size_t most) {
  const std::lock_guard lock(mutex_);
  eventfd_t woken = 0;
  ::eventfd_read(wake_.get(), &woken);
  const auto begin = wanted_.end() - static_cast<std::ptrdiff_t>(std::min(most, wanted_.size()));
  std::vector<std::string> taken(begin, wanted_.end());
  wanted_.erase(begin, wanted_.end());
  return taken;
}

void NetworkNames::look_up(const std::stop_token& stop) {
  auto lookup = ReverseLookup::open(
      options_.servers, options_.patience,
      [this](const std::string& address, const std::string& name) { keep(address, name); });
  if (!lookup) {
    for (const auto& address : take_wanted(kMostKnown)) keep(address, "");
    return;
  }
  do {
    for (const auto& address : take_wanted(kMostAtOnce - (*lookup)->under_way())) (*lookup)->begin(address);
    if (stop.stop_requested()) return;  // Its waking may have been taken for that of a wanted name.
    if ((*lookup)->under_way() > 0) (*lookup)->wait(wake_.get());
  } while ((*lookup)->under_way() > 0);
}

void NetworkNames::keep(const std::string& address, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto lasts = name.empty() ? options_.keeps_nothing : options_.keeps_name;
  known_[address] = {name, Clock::now() + lasts, false};
  changed_.notify_all();
}

}  // namespace zkv::gateway::http
