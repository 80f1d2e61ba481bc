// A repository's key, left by the zkv of an initramfs for that of the system: one approval opens both.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "repository/repository.h"

namespace zkv::host {

/// What is left is gone after so long, taken or not.
inline constexpr std::chrono::minutes kHandoverLifetime{15};
/// Its name in the keyring.
inline constexpr const char* kHandoverName = "zkv:repository-key";

/// Puts `key` into this user's keyring in the kernel, which outlives the change from initramfs to system and
/// is never swapped out; what was left there before is replaced. Whoever can take it is this user, root at
/// boot. Errors: kUnsupported (a kernel without keyrings), kIo. Source: keyrings(7), user-keyring(7).
Result<> leave_handover(const repository::RepositoryKey& key, const std::string& name = kHandoverName);

/// A repository's key in this process's own keyring, in the kernel: it is gone when the process is, however
/// that ends, and does not lie in the process's memory. Of one thread, that which made it.
class HeldHandover {
 public:
  HeldHandover(const HeldHandover&) = delete;
  HeldHandover& operator=(const HeldHandover&) = delete;
  HeldHandover(HeldHandover&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  HeldHandover& operator=(HeldHandover&&) = delete;
  ~HeldHandover();

  /// Errors: those of leave_handover().
  static Result<HeldHandover> hold(const repository::RepositoryKey& key,
                                   const std::string& name = kHandoverName);
  /// As leave_handover() leaves it; it is held no more. Errors: kUnsupported, kIo.
  Result<> leave();

 private:
  explicit HeldHandover(long id) : id_(id) {}

  long id_ = 0;  ///< the kernel's number of the key; 0: none is held
};

/// Takes what was left: it can be taken once. Nothing where nothing was left, or its time is over.
std::optional<repository::RepositoryKey> take_handover(const std::string& name = kHandoverName);

}  // namespace zkv::host
