// The 44 characters that a person or a vault gives, whatever white space came along.
#pragma once

#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/fernet.h"

namespace zkv::repository {

/// The 32 bytes of a key. Errors: kInvalid.
inline Result<SecretBytes> key_from_text(const SecretBytes& text) {
  static constexpr std::string_view kSpace = " \t\r\n";
  const std::string_view view = text.view();
  const auto first = view.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return crypto::fernet_key_from_text({});
  return crypto::fernet_key_from_text(view.substr(first, view.find_last_not_of(kSpace) + 1 - first));
}

}  // namespace zkv::repository
