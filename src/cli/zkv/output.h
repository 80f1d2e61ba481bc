// What goes to stdout: collected in secret memory, since it may hold keys, and written in one go.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::cli {

class Output {
 public:
  Output& operator<<(std::string_view text) {
    collected_.append(text);
    return *this;
  }
  Output& operator<<(const SecretBytes& secret) {
    collected_.append(secret.span());
    return *this;
  }
  /// A JSON string with its quotes.
  Output& json(std::string_view text);
  /// A volume's key as a line can show it: as it is when it is printable text, else "hex:" and its digits.
  Output& key(std::span<const std::uint8_t> key);
  /// The same as two JSON members: "key" and "encoding" ("text" or "hex").
  Output& json_key(std::span<const std::uint8_t> key);

  /// Writes what was collected to stdout. Errors: kIo.
  Result<> write();

 private:
  SecretBuilder collected_;
};

/// Writes all of `text` to stdout, and keeps no copy of it. Errors: kIo.
Result<> write_out(std::string_view text);

}  // namespace zkv::cli
