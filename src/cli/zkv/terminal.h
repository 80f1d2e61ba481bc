// Asking a person at the terminal for a secret, as a rule without echo.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::cli {

/// Whether there is a person to be asked.
bool has_terminal();

/// Shows `question` on the controlling terminal and reads a line. Echo comes back whatever happens, also when
/// a signal ends the program in the middle. Errors: kInvalid (no terminal, nothing typed), kIo.
Result<SecretBytes> ask_for_secret(const std::string& question);

enum class Echo { kOff, kOn };
/// A line as it was typed, which may be empty. Errors: kInvalid (no terminal, the input ended), kIo.
Result<SecretBytes> ask_for_line(const std::string& question, Echo echo);

/// While this lives, nothing that is typed on the terminal is shown, and signals that end or stop the program
/// wait: for work between two questions for secrets. What was typed meanwhile is forgotten.
class Hush {
 public:
  Hush();
  Hush(const Hush&) = delete;
  Hush& operator=(const Hush&) = delete;
  ~Hush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Shows a line on the terminal itself, wherever stdout and stderr lead.
void tell(const std::string& line);

/// Asks twice, for a secret that is new. Errors: also kInvalid when the two differ.
Result<SecretBytes> ask_for_new_secret(const std::string& question);

}  // namespace zkv::cli
