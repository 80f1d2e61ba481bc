// Shamir's sharing of one secret, k of n, by SLIP-0039 with one group of members.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "recovery/part.h"

namespace zkv::recovery {

/// How many parts there are, and how many of them open.
struct Scheme {
  unsigned threshold = 1;
  unsigned parts = 1;
};
inline constexpr unsigned kMostParts = 16;

/// Errors: kInvalid (not 1 ≤ threshold ≤ parts ≤ kMostParts, or several parts of which each opens: those
/// would be copies).
Result<> check_scheme(const Scheme& scheme);

/// A fresh kit of `secret` (an even number of bytes, at least 16). Errors: as check_scheme().
Result<std::vector<Part>> split(const SecretBytes& secret, const Scheme& scheme);

/// The secret. With more parts than are needed, that the others fit too is checked. `passphrase` is empty for
/// kits of ours. Errors, each naming the parts at fault: kInvalid (of several kits; twice the same; too few),
/// kCorrupt (they do not fit together).
Result<SecretBytes> join(std::span<const Part> parts, std::string_view passphrase = {});

/// What keeps `part` from joining `parts`, as join() would find: kInvalid (another kit; there already).
Result<> check_joins(std::span<const Part> parts, const Part& part);

}  // namespace zkv::recovery
