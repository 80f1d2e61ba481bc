// What the targets share: what must hold, and one run of bytes cut into the several inputs of a parser.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/result.h"

/// What a fuzzer calls with one input.
using FuzzTarget = int (*)(const std::uint8_t* data, std::size_t size);

/// ZKV_FUZZ_TARGET(name) { ... return 0; }: the target of this file, of `data` and `size`. What libFuzzer
/// calls; with ZKV_REPLAY one of many in one program, which finds it by its name.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#ifdef ZKV_REPLAY
#define ZKV_FUZZ_TARGET(name)                                   \
  static int name(const std::uint8_t*, std::size_t);            \
  const ::zkv::fuzz::Registered registered_##name{#name, name}; \
  static int name(const std::uint8_t* data, std::size_t size)
#else
#define ZKV_FUZZ_TARGET(name) \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
#endif
// NOLINTEND(cppcoreguidelines-macro-usage)

namespace zkv::fuzz {

/// Every target of this program by its name.
inline std::map<std::string_view, FuzzTarget>& targets() {
  static std::map<std::string_view, FuzzTarget> all;
  return all;
}

struct Registered {
  Registered(std::string_view name, FuzzTarget target) { targets().emplace(name, target); }
};

/// Ends the process, so that the input is kept, unless `holds`.
inline void require(bool holds, const char* what) {
  if (holds) return;
  static_cast<void>(std::fprintf(stderr, "does not hold: %s\n", what));
  std::abort();
}

/// A refusal says what is wrong.
inline void require_words(const Error& error) {
  require(!error.message().empty(), "a refused input has a message");
  require(error.kind() != ErrorKind::kInternal, "no input from outside is a fault of our own");
}

inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class Left, class Right>
bool equal(const Left& left, const Right& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

/// Takes from the front; what is missing is zero or empty.
class Pieces {
 public:
  explicit Pieces(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  /// Up to the next zero byte, which is dropped.
  std::span<const std::uint8_t> piece() {
    const auto end = static_cast<std::size_t>(std::find(rest_.begin(), rest_.end(), 0) - rest_.begin());
    const auto taken = rest_.first(end);
    rest_ = rest_.subspan(std::min(end + 1, rest_.size()));
    return taken;
  }
  std::string_view text() { return text_of(piece()); }
  /// A length of two bytes, the low one first, and so many bytes, or as many as there are.
  std::span<const std::uint8_t> counted() {
    const std::size_t low = byte();
    const std::size_t size = std::min(low + 256U * byte(), rest_.size());
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  [[nodiscard]] std::span<const std::uint8_t> rest() const { return rest_; }

 private:
  std::span<const std::uint8_t> rest_;
};

inline Bytes copy_of(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace zkv::fuzz
