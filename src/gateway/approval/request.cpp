// The names of the states, as the store, the API and people see them.
#include "gateway/approval/request.h"

#include <array>
#include <utility>

namespace zkv::gateway {
namespace {

constexpr std::array<std::pair<State, std::string_view>, 8> kNames{{
    {State::kPending, "pending"},
    {State::kApproved, "approved"},
    {State::kReleased, "released"},
    {State::kAcknowledged, "acknowledged"},
    {State::kDenied, "denied"},
    {State::kExpired, "expired"},
    {State::kCancelled, "cancelled"},
    {State::kSuperseded, "superseded"},
}};

}  // namespace

std::string_view to_text(State state) {
  for (const auto& [named, name] : kNames) {
    if (named == state) return name;
  }
  return "unknown";
}

std::optional<State> state_from_text(std::string_view text) {
  for (const auto& [state, name] : kNames) {
    if (name == text) return state;
  }
  return std::nullopt;
}

bool is_final(State state) { return state != State::kPending && state != State::kApproved; }

}  // namespace zkv::gateway
