// Inside this room only: the words of one part as numbers of ten bits, in secret memory.
#pragma once

#include <cstdint>

#include "base/secret_bytes.h"

namespace zkv::recovery {

class Words {
 public:
  explicit Words(std::size_t size) : bytes_(2 * size) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size() / 2; }
  [[nodiscard]] std::uint16_t at(std::size_t place) const {
    return static_cast<std::uint16_t>(unsigned{bytes_.data()[2 * place]} << 8U |
                                      bytes_.data()[2 * place + 1]);
  }
  void set(std::size_t place, unsigned number) {
    bytes_.data()[2 * place] = static_cast<std::uint8_t>(number >> 8U);
    bytes_.data()[2 * place + 1] = static_cast<std::uint8_t>(number);
  }
  [[nodiscard]] bool bit(std::size_t number) const {
    return (unsigned{at(number / kWordBits)} >> (kWordBits - 1 - number % kWordBits) & 1U) != 0;
  }
  void set_bit(std::size_t number, unsigned value) {
    const std::size_t place = number / kWordBits;
    set(place, unsigned{at(place)} | value << (kWordBits - 1 - number % kWordBits));
  }

  static constexpr std::size_t kWordBits = 10;

 private:
  SecretBytes bytes_;
};

}  // namespace zkv::recovery
