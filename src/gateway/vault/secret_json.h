// JSON that holds a secret, read without a copy of it outside secret memory.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::gateway {

/// A parsed document; every one of its bytes is wiped with it.
class SecretJson {
 public:
  /// Errors: kUnavailable when `text` is not JSON (the message does not show it).
  static Result<SecretJson> parse(std::span<const std::uint8_t> text);

  /// What stands at a JSON pointer (RFC 6901), when it is there and of that type. Valid as long as this.
  [[nodiscard]] std::optional<std::string_view> text(std::string_view pointer) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view pointer) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view pointer) const;

 private:
  /// In this order, so that the values end before the memory that they are in.
  struct Memory {
    explicit Memory(std::size_t size);
    SecretBytes bytes;
    boost::json::monotonic_resource resource;
    boost::json::value
        root;  ///< made with `resource`: what is moved into one with other memory is copied there
  };
  explicit SecretJson(std::unique_ptr<Memory> memory) : memory_(std::move(memory)) {}
  [[nodiscard]] const boost::json::value* find(std::string_view pointer) const;

  std::unique_ptr<Memory> memory_;
};

}  // namespace zkv::gateway
