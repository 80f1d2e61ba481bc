// Who this gateway is: the key that it signs with, which hosts pin, and the key to which hosts seal their
// shares.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "crypto/sealed_box.h"
#include "crypto/signature.h"
#include "protocol/messages.h"

namespace zkv::gateway {

class Identity {
 public:
  /// The identity in the file `path` (the two secrets, 32 bytes each, mode 0600), which is made when it is
  /// not there. A gateway that loses it is a stranger to its hosts. Errors: those of
  /// load_or_make_private_file().
  static Result<Identity> load_or_make(const std::filesystem::path& path);

  [[nodiscard]] protocol::KeyId id() const { return protocol::key_id(signing_.verifying_key()); }
  [[nodiscard]] const crypto::SigningKey& signing() const { return signing_; }
  [[nodiscard]] const crypto::BoxKey& sealing() const { return sealing_; }

  /// What the gateway says of itself, signed: docs/protocol-v2.md, "The gateway says who it is".
  [[nodiscard]] protocol::Envelope statement(const std::string& name, Time now) const;

 private:
  Identity(crypto::SigningKey signing, crypto::BoxKey sealing)
      : signing_(std::move(signing)), sealing_(std::move(sealing)) {}
  crypto::SigningKey signing_;
  crypto::BoxKey sealing_;
};

}  // namespace zkv::gateway
