// Libraries leave secrets where their functions' frames lay; this wipes them.
#pragma once

namespace zkv {

/// When it goes out of scope, what the calls made since then left in vector registers and in the 16 KiB of
/// stack below is overwritten. To be the first local of a function that hands secrets to a library: no
/// function of libsodium, nettle or Boost.JSON that we call reaches deeper.
class StackWiper {
 public:
  StackWiper() = default;
  StackWiper(const StackWiper&) = delete;
  StackWiper& operator=(const StackWiper&) = delete;
  ~StackWiper();
};

}  // namespace zkv
