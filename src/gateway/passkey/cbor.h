// Reading CBOR that came from outside, as strictly as authenticators must write it: nothing is believed about
// lengths, and nothing is allocated that the bytes themselves do not pay for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace zkv::gateway::passkey {

inline constexpr unsigned kDeepestCbor = 8;           ///< arrays and maps inside one another
inline constexpr std::size_t kMostCborEntries = 256;  ///< of one array or map

struct CborValue;
struct CborEntry;
/// What a map may be keyed by: the labels of COSE and the names of WebAuthn.
using CborKey = std::variant<std::int64_t, std::string_view>;

struct CborArray {
  std::vector<CborValue> values;
};
struct CborMap {
  std::vector<CborEntry> entries;
  /// Null when there is no such entry.
  [[nodiscard]] const CborValue* find(const CborKey& key) const;
};

/// One data item. Strings point into the bytes that were read, which must live as long.
struct CborValue {
  std::variant<std::monostate, bool, std::int64_t, std::span<const std::uint8_t>, std::string_view, CborArray,
               CborMap>
      value;  ///< monostate is null

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value);
  }
};
struct CborEntry {
  CborKey key;
  CborValue value;
};

struct CborRead {
  CborValue value;
  std::size_t size = 0;  ///< bytes that it took
};

/// The data item that `bytes` begin with. Errors: kInvalid for what is cut off, of indefinite length, tagged,
/// a float, an integer past 63 bits, a map with a key twice or with a key that is no integer or text, and
/// what goes past the limits above. Source: RFC 8949; CTAP 2.1, §8 (of which the order of keys and the
/// shortest form are not asked for: they change nothing that is read here).
Result<CborRead> read_cbor(std::span<const std::uint8_t> bytes);

}  // namespace zkv::gateway::passkey
