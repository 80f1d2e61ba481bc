// One HMAC over lengths and texts.
#include "gateway/store/row_seal.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace zkv::gateway {
namespace {

void append_field(Bytes& covered, std::string_view text) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    covered.push_back(static_cast<std::uint8_t>(text.size() >> static_cast<unsigned>(shift)));
  }
  covered.insert(covered.end(), text.begin(), text.end());
}

}  // namespace

std::string RowSeal::of(std::string_view table, const Columns& columns) const {
  if (!key_) return {};
  Bytes covered;
  append_field(covered, "zkv row 1");
  append_field(covered, table);
  for (const auto& column : columns) append_field(covered, column);
  return to_hex(crypto::hmac_sha256(key_->span(), covered));
}

Result<> RowSeal::check(std::string_view table, const Columns& columns, const std::string& seal) const {
  if (!key_ || seal == of(table, columns)) return {};
  return Error::corrupt(
             fmt::format("a row of {} was not written by this gateway: {}", table, columns.front()))
      .remedy(
          "somebody changed the database: look at 'zkvgateway audit verify', and restore a backup; "
          "docs/operations.md, \"A changed database\", says what else there is");
}

}  // namespace zkv::gateway
