// From approved to released: shares are recovered from the vault, one call for all that want one at the
// moment.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/service/desk.h"
#include "gateway/service/ledger.h"
#include "gateway/vault/vault.h"

namespace zkv::gateway {

/// On the ledger's thread only; the vault is called on `pool`.
class Releases {
 public:
  Releases(Desk& desk, Ledger& ledger, boost::asio::thread_pool& pool, Vault& vault,
           const ServiceOptions& options, std::stop_token stop);

  /// Recovers the share for `id` and releases it, if the request then still is approved and its client there.
  void want(const RequestId& id);

 private:
  using Recovered = Result<std::shared_ptr<const SecretBytes>>;

  void recover();
  [[nodiscard]] bool was_stopped(const Error& failure) const;
  Command release(const std::shared_ptr<const Recovered>& recovered);
  Result<> release_all(const Recovered& recovered, const std::vector<RequestId>& ids, Decisions& decisions);

  Desk& desk_;
  Ledger& ledger_;
  boost::asio::thread_pool& pool_;
  Vault& vault_;
  std::string secret_;
  std::function<void(const Error&)> on_failure_;
  std::stop_token stop_;
  std::vector<RequestId> wanted_;
  bool running_ = false;
};

}  // namespace zkv::gateway
