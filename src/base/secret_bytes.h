// Memory for secrets: locked against swapping, fenced by guard pages, wiped when it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace zkv {

std::span<const std::uint8_t> bytes_of(std::string_view text);

/// A fixed-size, move-only run of secret bytes in libsodium's guarded memory. Its bytes are zero at first.
/// Ends the process (as `new` would) only when the system has no memory left.
/// Source: libsodium, "Secure memory" (sodium_malloc, sodium_free).
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size);
  static SecretBytes copy_of(std::span<const std::uint8_t> bytes);
  static SecretBytes copy_of(std::string_view text);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  [[nodiscard]] SecretBytes clone() const { return copy_of(span()); }
  /// Forgets (and wipes) all but the first `size` bytes; `size` is at most size().
  void truncate(std::size_t size);

  [[nodiscard]] std::uint8_t* data() { return data_; }
  [[nodiscard]] const std::uint8_t* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<std::uint8_t> span() { return {data_, size_}; }
  [[nodiscard]] std::span<const std::uint8_t> span() const { return {data_, size_}; }
  [[nodiscard]] std::string_view view() const;

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Equal length and equal bytes, compared in constant time for equal lengths.
bool equal_in_constant_time(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right);

/// Collects secret bytes of unknown number; grows fourfold (each step costs system calls), wiping what it
/// leaves.
class SecretBuilder {
 public:
  void append(std::span<const std::uint8_t> bytes);
  void append(std::string_view text);
  void push_back(std::uint8_t byte) { append(std::span(&byte, 1)); }
  [[nodiscard]] std::size_t size() const { return used_; }
  /// What was collected; the builder is empty afterwards.
  SecretBytes take();

 private:
  SecretBytes buffer_;
  std::size_t used_ = 0;
};

/// To be called first in main(): starts libsodium, and turns core dumps and debugger attachment off.
/// Returns false when libsodium cannot start (no random source): nothing may go on then.
[[nodiscard]] bool protect_process_memory();

}  // namespace zkv
