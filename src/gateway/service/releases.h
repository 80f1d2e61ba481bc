// From approved to released: secrets are recovered from the vault, one call for all that want the same at the
// moment.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/identity/identity.h"
#include "gateway/service/desk.h"
#include "gateway/service/errands.h"
#include "gateway/service/ledger.h"
#include "gateway/vault/vault.h"
#include "protocol/messages.h"

namespace zkv::gateway {

/// On the ledger's thread only; the vault is called as an errand.
class Releases {
 public:
  Releases(Desk& desk, Ledger& ledger, Errands& errands, Vault& vault, const ServiceOptions& options,
           std::stop_token stop);

  /// Recovers the share for `request` and releases it, if the request then still is approved, and its client
  /// there or an enrolled host.
  void want(const Request& request);

 private:
  using Recovered = Result<std::shared_ptr<const SecretBytes>>;

  /// Those who want one secret.
  struct Wish {
    std::vector<RequestId> ids;
    bool is_running = false;
  };

  void recover(const std::string& secret);
  [[nodiscard]] bool was_stopped(const Error& failure) const;
  Command release(const std::string& secret, const std::shared_ptr<const Recovered>& recovered);
  void go_on(const std::string& secret);
  /// What is sent, and the message that it answers.
  struct Answered {
    std::string envelope;
    protocol::RequestMessage message;
  };

  Result<Answered> release_for(const Request& request, const Recovered& recovered);
  Result<> release_to_host(const Request& request, const Recovered& recovered, Decisions& decisions);
  Result<std::vector<crypto::Sha256>> approvals_of(const Request& request);
  Result<> remember(const Request& released, const Answered& answered);
  Result<> release_all(const Recovered& recovered, const std::vector<RequestId>& ids, Decisions& decisions);

  Desk& desk_;
  Ledger& ledger_;
  Errands& errands_;
  Vault& vault_;
  const ServiceOptions& options_;
  std::stop_token stop_;
  std::map<std::string, Wish> wishes_;  ///< by the secret's name
};

}  // namespace zkv::gateway
