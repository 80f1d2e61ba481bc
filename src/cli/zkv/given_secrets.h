// Secrets that come by argv or stdin: moved into secret memory before anything else sees them.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::cli {

/// The type name by which an option says that its value is a secret.
inline constexpr const char* kSecretType = "KEY";
/// The same for the link of an invite.
inline constexpr const char* kSecretLinkType = "LINK";

class GivenSecrets {
 public:
  /// The words of argv for the parser, last first, in which a ticket stands for each secret that `app` knows
  /// to be one by its options' type name. The secrets are wiped from argv, so that /proc/PID/cmdline no
  /// longer shows them.
  std::vector<std::string> take_from(const CLI::App& app, int argc, char** argv);

  /// The secret that `ticket` stands for; can be taken once.
  std::optional<SecretBytes> redeem(const std::string& ticket);

  /// The next line of stdin, without its end. Errors: kInvalid (no line left, or much too long), kIo.
  Result<SecretBytes> line_from_stdin();
  /// All that is left of stdin. Errors: as line_from_stdin.
  Result<SecretBytes> rest_of_stdin();

 private:
  std::string ticket_for(std::string_view secret);
  Result<> read_stdin();

  std::vector<SecretBytes> from_arguments_;
  std::optional<SecretBytes> stdin_;
  std::size_t stdin_used_ = 0;
};

}  // namespace zkv::cli
