// One head at a time by libcbor's streaming decoder, which allocates nothing; the tree is built here.
#include "gateway/passkey/cbor.h"

#include <cbor.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace zkv::gateway::passkey {

namespace {

struct ArrayHead {
  std::size_t count;
};
struct MapHead {
  std::size_t count;
};
/// What the decoder saw; none of these for whatever is not to be here.
using Head = std::variant<std::monostate, bool, std::int64_t, std::span<const std::uint8_t>, std::string_view,
                          ArrayHead, MapHead>;
struct Seen {
  std::optional<Head> head;
};

void see(void* seen, Head head) { static_cast<Seen*>(seen)->head = head; }

template <class Unsigned>
void see_positive(void* seen, Unsigned number) {
  if (std::uint64_t{number} > std::numeric_limits<std::int64_t>::max()) return;
  see(seen, static_cast<std::int64_t>(number));
}

template <class Unsigned>
void see_negative(void* seen, Unsigned number) {
  if (std::uint64_t{number} > std::numeric_limits<std::int64_t>::max()) return;
  see(seen, -1 - static_cast<std::int64_t>(number));
}

cbor_callbacks make_callbacks() {
  cbor_callbacks all = cbor_empty_callbacks;
  all.uint8 = see_positive<std::uint8_t>;
  all.uint16 = see_positive<std::uint16_t>;
  all.uint32 = see_positive<std::uint32_t>;
  all.uint64 = see_positive<std::uint64_t>;
  all.negint8 = see_negative<std::uint8_t>;
  all.negint16 = see_negative<std::uint16_t>;
  all.negint32 = see_negative<std::uint32_t>;
  all.negint64 = see_negative<std::uint64_t>;
  all.byte_string = [](void* seen, cbor_data bytes, std::size_t size) { see(seen, std::span(bytes, size)); };
  all.string = [](void* seen, cbor_data bytes, std::size_t size) {
    see(seen, std::string_view(reinterpret_cast<const char*>(bytes), size));
  };
  all.array_start = [](void* seen, std::size_t count) { see(seen, ArrayHead{count}); };
  all.map_start = [](void* seen, std::size_t count) { see(seen, MapHead{count}); };
  all.boolean = [](void* seen, bool value) { see(seen, value); };
  all.null = [](void* seen) { see(seen, std::monostate()); };
  return all;
}

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : left_(bytes) {}

  [[nodiscard]] std::size_t left() const { return left_.size(); }

  Result<CborValue> value(unsigned depth) {
    ZKV_TRY(const Head head, next());
    if (const auto* array = std::get_if<ArrayHead>(&head)) return array_of(array->count, depth + 1);
    if (const auto* map = std::get_if<MapHead>(&head)) return map_of(map->count, depth + 1);
    if (const auto* flag = std::get_if<bool>(&head)) return CborValue{*flag};
    if (const auto* number = std::get_if<std::int64_t>(&head)) return CborValue{*number};
    if (const auto* bytes = std::get_if<std::span<const std::uint8_t>>(&head)) return CborValue{*bytes};
    if (const auto* text = std::get_if<std::string_view>(&head)) return CborValue{*text};
    return CborValue{};
  }

 private:
  Result<Head> next() {
    static const cbor_callbacks callbacks = make_callbacks();
    Seen seen;
    const auto result = cbor_stream_decode(left_.data(), left_.size(), &callbacks, &seen);
    if (result.status == CBOR_DECODER_NEDATA || left_.empty()) return Error::invalid("its CBOR is cut off");
    if (result.status != CBOR_DECODER_FINISHED || !seen.head) {
      return Error::invalid("its CBOR has an item that must not be in it");
    }
    left_ = left_.subspan(result.read);
    return *seen.head;
  }

  static Result<> check(std::size_t count, unsigned depth) {
    if (depth > kDeepestCbor) return Error::invalid("its CBOR is nested too deeply");
    if (count > kMostCborEntries) return Error::invalid("its CBOR has too many entries");
    return {};
  }

  Result<CborValue> array_of(std::size_t count, unsigned depth) {
    ZKV_CHECK(check(count, depth));
    CborArray array;
    for (std::size_t i = 0; i < count; ++i) {
      ZKV_TRY(auto entry, value(depth));
      array.values.push_back(std::move(entry));
    }
    return CborValue{std::move(array)};
  }

  Result<CborValue> map_of(std::size_t count, unsigned depth) {
    ZKV_CHECK(check(count, depth));
    CborMap map;
    for (std::size_t i = 0; i < count; ++i) {
      ZKV_TRY(const CborKey name, key());
      if (map.find(name) != nullptr) return Error::invalid("its CBOR has a map with the same key twice");
      ZKV_TRY(auto entry, value(depth));
      map.entries.push_back({name, std::move(entry)});
    }
    return CborValue{std::move(map)};
  }

  Result<CborKey> key() {
    ZKV_TRY(const Head head, next());
    if (const auto* number = std::get_if<std::int64_t>(&head)) return CborKey(*number);
    if (const auto* text = std::get_if<std::string_view>(&head)) return CborKey(*text);
    return Error::invalid("its CBOR has a map with a key that is neither a number nor a text");
  }

  std::span<const std::uint8_t> left_;
};

}  // namespace

const CborValue* CborMap::find(const CborKey& key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

Result<CborRead> read_cbor(std::span<const std::uint8_t> bytes) {
  Reader reader(bytes);
  ZKV_TRY(auto value, reader.value(0));
  return CborRead{std::move(value), bytes.size() - reader.left()};
}

}  // namespace zkv::gateway::passkey
