// Checkpoints as envelopes.
#include "gateway/audit/checkpoint.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/file.h"
#include "protocol/envelope.h"
#include "protocol/json_members.h"

namespace zkv::gateway::audit {
namespace {

constexpr std::string_view kType = "application/vnd.zkv.checkpoint+json";
constexpr std::uint64_t kMostRows = 1ULL << 53U;
constexpr std::size_t kLongestFile = std::size_t{64} * 1024;

Error no_checkpoint(const std::string& why) {
  return Error::corrupt("a checkpoint of the audit log does not hold: " + why)
      .remedy("the log was changed outside the gateway; compare it with a backup");
}

}  // namespace

std::string seal(const Checkpoint& checkpoint, const crypto::SigningKey& key) {
  const boost::json::object body{{"number", checkpoint.number},
                                 {"hash", to_hex(checkpoint.hash)},
                                 {"time", checkpoint.at.time_since_epoch().count()}};
  return protocol::to_json(protocol::sign(kType, boost::json::serialize(body), key));
}

Result<Checkpoint> open_checkpoint(std::string_view text, const crypto::VerifyingKey& key) {
  const auto envelope = protocol::parse_envelope(text);
  if (!envelope) return no_checkpoint(envelope.error().message());
  if (const auto fits = protocol::check_signature(*envelope, kType, key); !fits) {
    return no_checkpoint(fits.error().message());
  }
  const auto object =
      protocol::parse_object({reinterpret_cast<const char*>(envelope->body.data()), envelope->body.size()},
                             protocol::kLargestEnvelope);
  if (!object) return no_checkpoint(object.error().message());
  const protocol::Members members(*object);
  const auto number = members.number("number", kMostRows);
  const auto hash = members.hex<sizeof(crypto::Sha256)>("hash");
  const auto at = members.time("time");
  if (!number || !hash || !at) return no_checkpoint("a member is missing");
  return Checkpoint{*number, *hash, *at};
}

Result<std::optional<Checkpoint>> load_checkpoint(const std::filesystem::path& file,
                                                  const crypto::VerifyingKey& key) {
  const auto bytes = read_file(file, kLongestFile);
  if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) return std::nullopt;
  if (!bytes) return Error(bytes.error());
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  auto checkpoint = open_checkpoint(text, key);
  if (!checkpoint) return std::move(checkpoint).error().context(file.string());
  return *checkpoint;
}

}  // namespace zkv::gateway::audit
