// SecretBytes over sodium_malloc, and the process-wide protection of memory.
#include "base/secret_bytes.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/stack_wiper.h"

namespace zkv {

namespace {

void release(std::uint8_t* secret) {
  if (secret == nullptr) return;
  const StackWiper wiper;
  sodium_free(secret);
}

}  // namespace

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

SecretBytes::SecretBytes(std::size_t size) : size_(size), capacity_(size) {
  if (size == 0) return;
  if (sodium_init() < 0) throw std::bad_alloc();
  data_ = static_cast<std::uint8_t*>(sodium_malloc(size));
  if (data_ == nullptr) throw std::bad_alloc();
  std::memset(data_, 0, size);
}

SecretBytes SecretBytes::copy_of(std::span<const std::uint8_t> bytes) {
  SecretBytes copy(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.data_);
  return copy;
}

SecretBytes SecretBytes::copy_of(std::string_view text) { return copy_of(bytes_of(text)); }

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    release(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() { release(data_); }

void SecretBytes::truncate(std::size_t size) {
  if (size >= size_) return;
  sodium_memzero(data_ + size, size_ - size);
  size_ = size;
}

std::string_view SecretBytes::view() const { return {reinterpret_cast<const char*>(data_), size_}; }

bool equal_in_constant_time(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right) {
  return left.size() == right.size() &&
         (left.empty() || sodium_memcmp(left.data(), right.data(), left.size()) == 0);
}

void SecretBuilder::append(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  if (used_ + bytes.size() > buffer_.size()) {
    SecretBytes larger(std::max<std::size_t>({4000, 4 * buffer_.size(), used_ + bytes.size()}));
    std::copy_n(buffer_.data(), used_, larger.data());
    buffer_ = std::move(larger);
  }
  std::copy(bytes.begin(), bytes.end(), buffer_.data() + used_);
  used_ += bytes.size();
}

void SecretBuilder::append(std::string_view text) { append(bytes_of(text)); }

SecretBytes SecretBuilder::take() {
  buffer_.truncate(std::exchange(used_, 0));
  return std::exchange(buffer_, SecretBytes());
}

bool protect_process_memory() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return sodium_init() >= 0;
}

}  // namespace zkv
