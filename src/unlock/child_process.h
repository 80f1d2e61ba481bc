// Other programs, run without a shell: a clean environment, secrets on stdin only, a time limit.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace zkv::unlock {

/// The path of `program`: itself when it names a path, else the first executable of that name in PATH, then
/// in the system's own directories (a person's PATH often lacks /usr/sbin). Errors: kNotFound.
Result<std::filesystem::path> find_program(std::string_view program);

/// A pipe to be read that holds all of `bytes` already, so that no write can block or meet a closed pipe.
/// Errors: kInvalid (more than 4096 bytes), kIo.
Result<FileDescriptor> input_of(std::span<const std::uint8_t> bytes);

/// Waits a little for the end of a child that was told to end, by its `pidfd`. One that hangs in the kernel
/// dies when that lets go of it, which may be never; init buries it then.
void bury(pid_t child, int pidfd);

struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments;   ///< never a secret: every user of the machine can read them
  std::span<const std::uint8_t> input;  ///< what the child reads on stdin, at most 4096 bytes
  std::chrono::milliseconds limit{120'000};
  std::vector<std::string> environment = {};  ///< "NAME=value", beside PATH and LC_ALL
  /// Others that it starts may live on after it, and are not waited for: a filesystem's daemon. The limit
  /// ends it with all of its process group. Its output is not taken, and of its errors what Complaints take.
  bool leaves_daemons = false;
};

struct Finished {
  int exit_code = 0;  ///< 128 + the signal's number when a signal ended it
  std::string output;
  std::string errors;
};

/// Runs a command to its end. The child has no environment but its own, PATH and LC_ALL=C, and no signal
/// blocked.
/// Errors: kInvalid (too much input), kNotFound (no such program), kIo (cannot start, or endless output),
/// kUnavailable (the time limit passed; the child is killed).
Result<Finished> run(const Command& command);

}  // namespace zkv::unlock
