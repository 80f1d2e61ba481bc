// The canonical bytes of an audit row: every field with its length before it, so that no two rows share them.
#include "gateway/audit/row.h"

#include <fmt/format.h>

#include <bit>
#include <span>
#include <string_view>

#include "base/encoding.h"

namespace zkv::gateway::audit {
namespace {

constexpr std::string_view kDomain = "zkv audit row 1";

void append_number(Bytes& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(number >> shift));
}

void append_field(Bytes& out, std::span<const std::uint8_t> field) {
  append_number(out, field.size());
  out.insert(out.end(), field.begin(), field.end());
}

void append_field(Bytes& out, std::string_view text) { append_field(out, bytes_of(text)); }

Error broken(std::uint64_t number, std::string_view what) {
  return Error::corrupt(fmt::format("audit row {} {}", number, what))
      .remedy("the log was changed outside the gateway from this row on; compare it with a backup");
}

}  // namespace

crypto::Sha256 hash_of(const Row& row) {
  Bytes bytes;
  append_field(bytes, kDomain);
  append_number(bytes, row.number);
  append_field(bytes, row.previous);
  append_number(bytes, std::bit_cast<std::uint64_t>(std::int64_t{row.event.at.time_since_epoch().count()}));
  append_field(bytes, row.event.kind);
  append_field(bytes, row.event.request);
  append_field(bytes, row.event.actor);
  append_field(bytes, row.event.detail);
  return crypto::sha256(bytes);
}

Result<> verify(const Row& row, std::uint64_t expected_number, const crypto::Sha256& previous) {
  if (row.number != expected_number) {
    return broken(expected_number, fmt::format("is missing: row {} stands in its place", row.number));
  }
  if (row.previous != previous) return broken(row.number, "does not follow on the row before it");
  if (row.hash != hash_of(row)) return broken(row.number, "was edited: its hash does not fit its fields");
  return {};
}

}  // namespace zkv::gateway::audit
