// What the tests of passkeys share: the gateway they are for, and what was said against them.
#pragma once

#include "base/encoding.h"
#include "gateway/passkey/passkey.h"

namespace zkv::test {

inline gateway::passkey::RelyingParty home() { return {"https://gateway.example", "gateway.example"}; }
inline constexpr gateway::passkey::Challenge kChallenge{1, 2, 3};

/// What was said against it; a value is no refusal.
template <class T>
Error refusal(const Result<T>& result) {
  return result ? Error::internal("it was taken") : result.error();
}

inline Bytes bytes(std::string_view hex) { return from_hex(hex).value(); }

}  // namespace zkv::test
