// Written in groups, read as people type.
#include "gateway/service/recovery_code.h"

#include "crypto/random.h"
#include "gateway/service/request_id.h"

namespace zkv::gateway {
namespace {

constexpr std::size_t kCharacters = 24;
constexpr std::size_t kGroup = 4;
constexpr std::string_view kProofLabel{"zkv recovery code 1\0", 20};

bool is_between_groups(char c) { return c == ' ' || c == '-' || c == '\t' || c == '\n' || c == '\r'; }

char as_written(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') return '0';
  return c == 'I' || c == 'L' ? '1' : c;
}

}  // namespace

SecretBytes make_recovery_code() {
  SecretBytes code(kCharacters + kCharacters / kGroup - 1);
  std::size_t drawn = 0;
  for (auto& character : code.span()) {
    const bool is_hyphen = drawn == kGroup;
    character =
        is_hyphen ? '-' : static_cast<std::uint8_t>(kCrockford[crypto::random_below(kCrockford.size())]);
    drawn = is_hyphen ? 0 : drawn + 1;
  }
  return code;
}

crypto::Sha256 proof_of_recovery_code(std::string_view text) {
  SecretBuilder hashed;
  hashed.append(kProofLabel);
  for (const char c : text) {
    if (!is_between_groups(c)) hashed.push_back(static_cast<std::uint8_t>(as_written(c)));
  }
  return crypto::sha256(hashed.take().span());
}

crypto::Sha256 hash_of_proof(const crypto::Sha256& proof) { return crypto::sha256(proof); }

}  // namespace zkv::gateway
