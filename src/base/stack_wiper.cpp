// StackWiper over sodium_stackzero.
#include "base/stack_wiper.h"

#include <sodium.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace zkv {

namespace {

/// Copying leaves bytes in vector registers, and whoever saves those (the dynamic linker when it binds a
/// function at its first call, a signal) leaves them on the stack: this copies nothing in each way that
/// memmove has.
void clear_vector_registers() {
  static constexpr std::array<std::uint8_t, 512> kNothing{};
  std::array<std::uint8_t, 512> target;
  for (const volatile std::size_t size : {32U, 64U, 128U, 256U, 512U}) {
    std::memmove(target.data(), kNothing.data(), size);
  }
}

}  // namespace

StackWiper::~StackWiper() {
  clear_vector_registers();
  sodium_stackzero(std::size_t{16} * 1024);
}

}  // namespace zkv
