// What a program says on stderr, kept in a file in memory: no writer ever waits for a reader, or is killed
// because it is gone, and one that lives on for years cannot fill the memory.
#pragma once

#include <string>

#include "base/file.h"

namespace zkv::unlock {

class Complaints {
 public:
  /// Takes at most 1 MiB; writing more fails. Errors: kIo.
  static Result<Complaints> make();

  /// To be handed to the program.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The first 64 KiB of what was said.
  [[nodiscard]] std::string text() const;

 private:
  explicit Complaints(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace zkv::unlock
