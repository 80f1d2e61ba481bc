// The challenges that passkeys were asked to sign and have not signed yet, but those of sign-ins: each lives
// a short time and serves once. On the ledger's thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/time.h"
#include "gateway/passkey/act.h"
#include "gateway/store/people_store.h"

namespace zkv::gateway {

/// What a challenge was made for, and for nothing else.
struct ChallengeUse {
  enum class Purpose : std::uint8_t { kRegister, kAddPasskey, kRecover, kDecide, kAct };
  Purpose purpose = Purpose::kRegister;
  Bytes invite;  ///< its hash, or that of the recovery code; kRegister and kRecover only
  ApproverId approver{};
  RequestId request;  ///< this and the next: kDecide only
  passkey::Decision decision = passkey::Decision::kDeny;
  passkey::Act act;                  ///< kAct only
  passkey::ApprovalRandom random{};  ///< kDecide and kAct
};

struct SpentChallenge {
  passkey::Challenge challenge{};
  ChallengeUse use;
};

class Challenges {
 public:
  /// Of one approver or one invite; beyond, their own oldest give way.
  static constexpr std::size_t kMostEach = 16;

  explicit Challenges(std::chrono::seconds life) : life_(life) {}

  void add(const passkey::Challenge& challenge, ChallengeUse use, Time now);
  /// What it was made for, if that is not over; whatever it was, it serves no more.
  std::optional<SpentChallenge> spend(const passkey::Challenge& challenge, Time now);
  /// Those of an approver who is revoked.
  void forget(const ApproverId& approver);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    passkey::Challenge challenge{};
    ChallengeUse use;
    Time ends;
  };
  void make_room(const ChallengeUse& use, Time now);

  std::chrono::seconds life_;
  std::deque<Entry> entries_;  ///< the oldest first
};

}  // namespace zkv::gateway
