// Approvals of a host's next boot, given beforehand (docs/protocol-v2.md, "A planned reboot").
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/store/host_store.h"

namespace zkv::gateway {

struct NewBootApproval {
  std::string host;  ///< its name or id
  std::chrono::seconds within{7'200};
  std::string by;
  Bytes evidence = {};  ///< SHA-256 of what a passkey signed; empty at the console
};

/// Thread-safe. Errors of every call, beside those said: kIo, kInterrupted.
class Boots {
 public:
  virtual ~Boots() = default;

  /// Those that can be used still.
  virtual boost::asio::awaitable<Result<std::vector<BootApproval>>> live() = 0;
  /// In place of an older one. Errors: kNotFound, kConflict (the host is revoked), kInvalid (shorter than a
  /// minute or longer than a day).
  virtual boost::asio::awaitable<Result<BootApproval>> approve(NewBootApproval wanted) = 0;
  /// Errors: kNotFound when there is none that could be used.
  virtual boost::asio::awaitable<Result<BootApproval>> take_back(std::string host, std::string by) = 0;
};

}  // namespace zkv::gateway
