// Rows to lines and back.
#include "gateway/audit/export.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.h"
#include "protocol/json_members.h"

namespace zkv::gateway::audit {
namespace {

constexpr std::size_t kLongestLine = std::size_t{256} << 10U;
constexpr std::size_t kLongestWords = 400;
constexpr std::uint64_t kHighestNumber = 1ULL << 53U;
constexpr const char* kFormat = "zkv audit 1";

}  // namespace

std::string export_head(const crypto::VerifyingKey& key) {
  return boost::json::serialize(
      boost::json::object{{"format", kFormat}, {"signing", to_base64(key, Base64::kUrlNoPadding)}});
}

Result<crypto::VerifyingKey> read_export_head(std::string_view line) {
  ZKV_TRY(const auto object, protocol::parse_object(line, kLongestLine));
  const protocol::Members members(object);
  ZKV_TRY(const auto format, members.text("format", kLongestWords));
  if (format != kFormat) return Error::invalid("this is no export of an audit log that this program knows");
  return members.base64_of<sizeof(crypto::VerifyingKey)>("signing");
}

std::string export_line(const Row& row) {
  return boost::json::serialize(boost::json::object{{"number", row.number},
                                                    {"time", row.event.at.time_since_epoch().count()},
                                                    {"kind", row.event.kind},
                                                    {"request", row.event.request},
                                                    {"actor", row.event.actor},
                                                    {"detail", row.event.detail},
                                                    {"previous", to_hex(row.previous)},
                                                    {"hash", to_hex(row.hash)}});
}

Result<Row> read_export_line(std::string_view line) {
  ZKV_TRY(const auto object, protocol::parse_object(line, kLongestLine));
  const protocol::Members members(object);
  Row row;
  ZKV_TRY(row.number, members.number("number", kHighestNumber));
  ZKV_TRY(row.event.at, members.time("time"));
  ZKV_TRY(row.event.kind, members.text("kind", kLongestWords));
  ZKV_TRY(row.event.request, members.text("request", kLongestWords));
  ZKV_TRY(row.event.actor, members.text("actor", kLongestWords));
  ZKV_TRY(row.event.detail, members.text("detail", kLongestLine));
  ZKV_TRY(row.previous, members.hex<sizeof(crypto::Sha256)>("previous"));
  ZKV_TRY(row.hash, members.hex<sizeof(crypto::Sha256)>("hash"));
  return row;
}

}  // namespace zkv::gateway::audit
