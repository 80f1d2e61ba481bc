// Reading the members of a JSON object that came from outside: each with its form, and an error that names
// it.
#pragma once

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/result.h"
#include "base/time.h"

namespace zkv::protocol {

/// The last time that a message may name: the end of the year 9999.
inline constexpr std::int64_t kLatestTime = 253'402'300'799'999;

/// All errors are kInvalid and name the member. The object must live as long as its reader.
class Members {
 public:
  explicit Members(const boost::json::object& object) : object_(object) {}

  [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }
  [[nodiscard]] Result<std::string> text(std::string_view name, std::size_t longest) const;
  [[nodiscard]] Result<Bytes> base64(std::string_view name, std::size_t longest) const;
  [[nodiscard]] Result<std::uint64_t> number(std::string_view name, std::uint64_t most) const;
  [[nodiscard]] Result<bool> boolean(std::string_view name) const;
  [[nodiscard]] Result<Time> time(std::string_view name) const;
  [[nodiscard]] Result<Members> object(std::string_view name) const;
  [[nodiscard]] Result<std::vector<std::string>> texts(std::string_view name, std::size_t most,
                                                       std::size_t longest) const;

  template <std::size_t size>
  [[nodiscard]] Result<std::array<std::uint8_t, size>> hex(std::string_view name) const {
    ZKV_TRY(const auto digits, text(name, 2 * size));
    return exactly<size>(from_hex(digits), name);
  }
  template <std::size_t size>
  [[nodiscard]] Result<std::array<std::uint8_t, size>> base64_of(std::string_view name) const {
    return exactly<size>(base64(name, size), name);
  }
  template <std::size_t size>
  [[nodiscard]] Result<std::vector<std::array<std::uint8_t, size>>> hexes(std::string_view name,
                                                                          std::size_t most) const {
    ZKV_TRY(const auto all, texts(name, most, 2 * size));
    std::vector<std::array<std::uint8_t, size>> out;
    for (const auto& digits : all) {
      ZKV_TRY(auto one, exactly<size>(from_hex(digits), name));
      out.push_back(one);
    }
    return out;
  }

 private:
  static Error wrong(std::string_view name, std::string_view how);

  template <std::size_t size>
  static Result<std::array<std::uint8_t, size>> exactly(const Result<Bytes>& bytes, std::string_view name) {
    if (!bytes || bytes->size() != size) return wrong(name, "is not of " + std::to_string(size) + " bytes");
    std::array<std::uint8_t, size> out{};
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return out;
  }

  const boost::json::object& object_;
};

/// One JSON object, of at most `longest` bytes of text; no object in it has two members of one name. Errors:
/// kInvalid.
Result<boost::json::object> parse_object(std::string_view text, std::size_t longest);
/// The same for the body of a message, of at most kLargestEnvelope bytes.
Result<boost::json::object> object_of(std::span<const std::uint8_t> body);

/// A time as messages write it: milliseconds since 1970.
inline std::int64_t number_of(Time time) { return time.time_since_epoch().count(); }

}  // namespace zkv::protocol
