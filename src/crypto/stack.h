// Libraries leave secrets where their functions' frames lay; this wipes them.
#pragma once

#include <sodium.h>

namespace zkv::crypto {

/// When it goes out of scope, all that the calls made since then left on the stack is overwritten. To be the
/// first local of a function that hands secrets to a library. It reaches deeper than any function of
/// libsodium or OpenSSL that is called from this room.
class StackWiper {
 public:
  StackWiper() = default;
  StackWiper(const StackWiper&) = delete;
  StackWiper& operator=(const StackWiper&) = delete;
  ~StackWiper() { sodium_stackzero(kDepth); }

 private:
  static constexpr std::size_t kDepth = std::size_t{16} * 1024;
};

}  // namespace zkv::crypto
