// Little-endian numbers and runs of bytes, written to and read from the file with every length checked.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

#include "base/encoding.h"

namespace zkv::repository {

template <std::unsigned_integral Number>
std::array<std::uint8_t, sizeof(Number)> to_little_endian(Number number) {
  std::array<std::uint8_t, sizeof(Number)> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return bytes;
}

template <std::unsigned_integral Number>
void append_number(Bytes& out, Number number) {
  const auto bytes = to_little_endian(number);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline void append_bytes(Bytes& out, std::span<const std::uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Reads from the front of a run of bytes. Once something was missing, it stays failed and yields zeros and
/// nothing, so that one look at failed() after a group of reads is enough.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::span<const std::uint8_t> rest() const { return rest_; }

  std::span<const std::uint8_t> take(std::size_t size) {
    if (failed_ || size > rest_.size()) {
      failed_ = true;
      return {};
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  template <std::unsigned_integral Number>
  Number number() {
    Number value = 0;
    unsigned shift = 0;
    for (const std::uint8_t byte : take(sizeof(Number))) {
      value = static_cast<Number>(value | static_cast<Number>(Number{byte} << shift));
      shift += 8;
    }
    return value;
  }

  template <std::size_t size>
  std::array<std::uint8_t, size> array() {
    std::array<std::uint8_t, size> out{};
    const auto taken = take(size);
    std::copy(taken.begin(), taken.end(), out.begin());
    return out;
  }

 private:
  std::span<const std::uint8_t> rest_;
  bool failed_ = false;
};

/// One tag-length-value record: 16-bit tag, 32-bit length, value.
struct Record {
  std::uint16_t tag = 0;
  std::span<const std::uint8_t> value;
  std::span<const std::uint8_t> whole;  ///< tag and length included
};

/// The next record, or nothing when the bytes run out inside it (the reader has then failed).
inline std::optional<Record> take_record(ByteReader& reader) {
  const auto start = reader.rest();
  const auto tag = reader.number<std::uint16_t>();
  const auto size = reader.number<std::uint32_t>();
  const auto value = reader.take(size);
  if (reader.failed()) return std::nullopt;
  return Record{tag, value, start.first(start.size() - reader.rest().size())};
}

inline void append_record(Bytes& out, std::uint16_t tag, std::span<const std::uint8_t> value) {
  append_number(out, tag);
  append_number(out, static_cast<std::uint32_t>(value.size()));
  append_bytes(out, value);
}

}  // namespace zkv::repository
