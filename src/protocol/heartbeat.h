// A host's sign of life, with what its drift guard found, and the gateway's answer (docs/protocol-v2.md,
// "Heartbeats").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/messages.h"

namespace zkv::protocol {

inline constexpr std::size_t kMostFindings = 8;
inline constexpr std::size_t kLongestFinding = 200;  ///< bytes
inline constexpr std::uint64_t kHighestCount = 100'000;

struct Heartbeat {
  static constexpr std::string_view kType = "application/vnd.zkv.heartbeat+json";
  KeyId host{};
  KeyId gateway{};
  Time time;
  std::string version;  ///< of zkv
  RepositoryId repository{};
  std::uint64_t generation = 0;
  std::uint64_t count = 0;            ///< of findings
  std::vector<std::string> findings;  ///< the first of them, in a line each
};

/// Whether the gateway's vault has the host's share.
enum class ShareState : std::uint8_t { kThere, kMissing, kUnknown };
std::string_view to_text(ShareState state);

struct HeartbeatAnswer {
  static constexpr std::string_view kType = "application/vnd.zkv.heartbeat-answer+json";
  RequestHash heartbeat{};  ///< the hash of the heartbeat's envelope
  KeyId host{};
  KeyId gateway{};
  ShareState share = ShareState::kUnknown;
  std::string why;                                   ///< it is not there, or not known to be
  std::optional<Time> share_expires = std::nullopt;  ///< when the vault will no longer give it
  Time time;
};

std::string to_body(const Heartbeat& heartbeat);
std::string to_body(const HeartbeatAnswer& answer);
template <>
Result<Heartbeat> read_body(std::span<const std::uint8_t> body);
template <>
Result<HeartbeatAnswer> read_body(std::span<const std::uint8_t> body);

/// As much of `text` as a finding may hold, whole characters only.
std::string as_finding(std::string_view text);

}  // namespace zkv::protocol
