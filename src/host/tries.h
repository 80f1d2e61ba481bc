// Trying one gateway again and again until it has answered: the loop that both protocols share.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "host/answer.h"
#include "host/gateway_client.h"
#include "host/narrator.h"

namespace zkv::host {

struct Tries {
  const std::string& address;
  const AskOptions& options;
  std::function<Answer()> once;      ///< one try
  std::function<bool()> is_pending;  ///< whether the last try left a request that waits for a person
};

/// Between tries it waits as the answer says, without a network shortly, else as Backoff says. At once it
/// tries only the first time: no gateway can have this host ask without a pause. Errors: as ask_gateway().
Result<SecretBytes> try_until_answered(const Tries& tries, Narrator& narrator, const std::stop_token& stop);

}  // namespace zkv::host
