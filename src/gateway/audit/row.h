// One row of the audit log, and the hash that chains it to the one before.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"

namespace zkv::gateway::audit {

/// What is to be recorded; never holds a key, a PIN or a token.
struct Event {
  Time at;
  std::string kind;     ///< "request.approve", "refused.webhook-signature", …
  std::string request;  ///< its id, or empty
  std::string actor;    ///< who: an address, a person, "gateway"
  std::string detail;
};

struct Row {
  std::uint64_t number = 0;  ///< 1, 2, 3, …
  Event event;
  crypto::Sha256 previous{};
  crypto::Sha256 hash{};
};

/// SHA-256 over a domain word, the number, the previous hash and every field, each with its length before it.
crypto::Sha256 hash_of(const Row& row);
/// Checks that `row` follows on `previous` (the hash before it) unedited. Errors: kCorrupt, naming the row.
Result<> verify(const Row& row, std::uint64_t expected_number, const crypto::Sha256& previous);

}  // namespace zkv::gateway::audit
