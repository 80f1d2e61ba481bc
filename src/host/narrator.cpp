// Lines, each once.
#include "host/narrator.h"

#include "base/plain_text.h"

namespace zkv::host {

namespace {

using Steady = std::chrono::steady_clock;

}  // namespace

void Narrator::waiting(const std::string& id) {
  tell("waiting for approval of " + (id.empty() ? "the request" : "request " + id) + " at " + address_);
}

void Narrator::waiting(const std::string& id, const std::string& number, std::uint64_t people) {
  const auto asked = people == 0
                         ? std::string()
                         : ", asked " + std::to_string(people) + (people == 1 ? " person" : " people");
  tell("waiting for approval of request " + id + " at " + address_ + ", number " + number + asked);
}

void Narrator::trouble(const std::string& why, std::chrono::milliseconds pause) {
  const bool names_address = why.find(address_) != std::string::npos;
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(pause).count();
  tell(why + (names_address ? "" : " at " + address_) + "; trying again" +
       (pause < std::chrono::minutes(1) ? "" : " in " + std::to_string(minutes) + " min"));
}

void Narrator::tell(const std::string& text) {
  const auto line = plain_text(text);
  const auto found = said_.find(line);
  const bool is_fresh = found != said_.end() && Steady::now() - found->second < std::chrono::minutes(1);
  if (!say_ || line == last_ || is_fresh) return;
  said_[line] = Steady::now();
  last_ = line;
  say_(line);
}

}  // namespace zkv::host
