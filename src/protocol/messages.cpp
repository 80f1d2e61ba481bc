// Messages to JSON and back.
#include "protocol/messages.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "protocol/json_members.h"

namespace zkv::protocol {

namespace json = boost::json;

namespace {

constexpr std::size_t kMostAddresses = 32;
constexpr std::size_t kLongestWord = 100;  ///< of a boot id, a kernel's version, an address
constexpr std::size_t kMostApprovals = 16;
constexpr std::size_t kMostKnown = 32;
constexpr std::uint64_t kLongestUptime = 10'000'000'000;

std::string base64(std::span<const std::uint8_t> bytes) { return to_base64(bytes, Base64::kUrlNoPadding); }

json::array texts(const std::vector<std::string>& all) { return json::array(all.begin(), all.end()); }

json::object to_json(const Evidence& evidence) {
  return {{"boot_id", evidence.boot_id},
          {"kernel", evidence.kernel},
          {"hostname", evidence.hostname},
          {"uptime", evidence.uptime},
          {"addresses", texts(evidence.addresses)},
          {"planned", evidence.is_planned},
          {"tpm", evidence.has_tpm}};
}

Result<Evidence> read_evidence(const Members& members) {
  Evidence evidence;
  ZKV_TRY(evidence.boot_id, members.text("boot_id", kLongestWord));
  ZKV_TRY(evidence.kernel, members.text("kernel", kLongestWord));
  ZKV_TRY(evidence.hostname, members.text("hostname", kLongestName));
  ZKV_TRY(evidence.uptime, members.number("uptime", kLongestUptime));
  ZKV_TRY(evidence.addresses, members.texts("addresses", kMostAddresses, kLongestWord));
  ZKV_TRY(evidence.is_planned, members.boolean("planned"));
  if (members.has("tpm")) {
    ZKV_TRY(evidence.has_tpm, members.boolean("tpm"));
  }
  return evidence;
}

bool is_matching_number(const std::string& number) {
  return number.size() == 2 && number.find_first_not_of("0123456789") == std::string::npos;
}

json::array hashes(const std::vector<crypto::Sha256>& all) {
  json::array array;
  for (const auto& one : all) array.emplace_back(to_hex(one));
  return array;
}

Result<std::optional<std::chrono::seconds>> read_next_boot(const Members& members) {
  if (!members.has("next_boot")) return std::nullopt;
  ZKV_TRY(const auto count,
          members.number("next_boot", static_cast<std::uint64_t>(kLongestNextBoot.count())));
  const std::chrono::seconds within(static_cast<std::int64_t>(count));
  if (within >= kShortestNextBoot) return std::optional(within);
  return Error::invalid("the message is misshapen: 'next_boot' is shorter than a minute");
}

Result<bool> read_drill(const Members& members) {
  if (!members.has("drill")) return false;
  ZKV_TRY(const bool is_drill, members.boolean("drill"));
  if (!is_drill || !members.has("next_boot")) return is_drill;
  return Error::invalid("the message is misshapen: 'drill' and 'next_boot' do not go together");
}

Result<std::optional<crypto::Sha256>> read_successor(const Members& members) {
  if (!members.has("successor")) return std::nullopt;
  if (members.has("next_boot") || members.has("drill")) {
    return Error::invalid("the message is misshapen: 'successor' goes with neither 'drill' nor 'next_boot'");
  }
  ZKV_TRY(const auto hash, members.base64_of<sizeof(crypto::Sha256)>("successor"));
  return std::optional(hash);
}

}  // namespace

bool GatewayStatement::does_know(std::string_view what) const {
  return std::find(knows.begin(), knows.end(), what) != knows.end();
}

std::string to_body(const GatewayStatement& statement) {
  json::object object{{"gateway", to_hex(statement.gateway)},
                      {"signing", base64(statement.signing)},
                      {"sealing", base64(statement.sealing)},
                      {"name", statement.name},
                      {"time", number_of(statement.time)}};
  if (!statement.knows.empty()) object["knows"] = texts(statement.knows);
  return json::serialize(object);
}

std::string to_body(const Enrolment& enrolment) {
  return json::serialize(json::object{{"invite", base64(enrolment.invite)},
                                      {"gateway", to_hex(enrolment.gateway)},
                                      {"identity", to_jwk(enrolment.identity)},
                                      {"repository", to_hex(enrolment.repository)},
                                      {"share", base64(enrolment.share)},
                                      {"time", number_of(enrolment.time)}});
}

std::string to_body(const RequestMessage& request) {
  const json::object repository{{"id", to_hex(request.repository)}, {"generation", request.generation}};
  json::object object{{"host", to_hex(request.host)},      {"gateway", to_hex(request.gateway)},
                      {"key", base64(request.key)},        {"time", number_of(request.time)},
                      {"number", request.number},          {"repository", repository},
                      {"volumes", texts(request.volumes)}, {"evidence", to_json(request.evidence)}};
  if (request.next_boot) object["next_boot"] = request.next_boot->count();
  if (request.is_drill) object["drill"] = true;
  if (request.successor) object["successor"] = base64(*request.successor);
  return json::serialize(object);
}

std::string to_body(const Succession& succession) {
  return json::serialize(json::object{{"host", to_hex(succession.host)},
                                      {"gateway", to_hex(succession.gateway)},
                                      {"predecessor", to_hex(succession.predecessor)},
                                      {"time", number_of(succession.time)}});
}

std::string to_body(const Word& word) {
  return json::serialize(json::object{{"word", word.kind == Word::Kind::kCancel ? "cancel" : "acknowledge"},
                                      {"request", to_hex(word.request)},
                                      {"time", number_of(word.time)}});
}

std::string to_body(const Release& release) {
  return json::serialize(json::object{{"request", to_hex(release.request)},
                                      {"host", to_hex(release.host)},
                                      {"gateway", to_hex(release.gateway)},
                                      {"sealed", base64(release.sealed)},
                                      {"approvals", hashes(release.approvals)},
                                      {"time", number_of(release.time)}});
}

std::string to_body(const BootApproval& approval) {
  return json::serialize(json::object{{"request", to_hex(approval.request)},
                                      {"host", to_hex(approval.host)},
                                      {"gateway", to_hex(approval.gateway)},
                                      {"until", number_of(approval.until)},
                                      {"approvals", hashes(approval.approvals)},
                                      {"time", number_of(approval.time)}});
}

std::string to_body(const Tombstone& tombstone) {
  return json::serialize(json::object{{"host", to_hex(tombstone.host)},
                                      {"gateway", to_hex(tombstone.gateway)},
                                      {"secret", tombstone.secret},
                                      {"time", number_of(tombstone.time)}});
}

template <>
Result<GatewayStatement> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  GatewayStatement statement;
  ZKV_TRY(statement.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(statement.signing, members.base64_of<sizeof(crypto::VerifyingKey)>("signing"));
  ZKV_TRY(statement.sealing, members.base64_of<sizeof(crypto::BoxPublicKey)>("sealing"));
  ZKV_TRY(statement.name, members.text("name", kLongestName));
  ZKV_TRY(statement.time, members.time("time"));
  if (members.has("knows")) {
    ZKV_TRY(statement.knows, members.texts("knows", kMostKnown, kLongestWord));
  }
  return statement;
}

template <>
Result<Enrolment> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  Enrolment enrolment;
  ZKV_TRY(enrolment.invite, members.base64_of<kInviteSize>("invite"));
  ZKV_TRY(enrolment.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(const auto identity, members.object("identity"));
  ZKV_TRY(enrolment.identity, read_jwk(identity));
  ZKV_TRY(enrolment.repository, members.hex<sizeof(RepositoryId)>("repository"));
  ZKV_TRY(enrolment.share, members.base64_of<sizeof(SealedShare)>("share"));
  ZKV_TRY(enrolment.time, members.time("time"));
  return enrolment;
}

template <>
Result<RequestMessage> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  RequestMessage request;
  ZKV_TRY(request.host, members.hex<sizeof(KeyId)>("host"));
  ZKV_TRY(request.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(request.key, members.base64_of<sizeof(crypto::BoxPublicKey)>("key"));
  ZKV_TRY(request.time, members.time("time"));
  ZKV_TRY(request.number, members.text("number", 2));
  if (!is_matching_number(request.number))
    return Error::invalid("the message is misshapen: 'number' is not two digits");
  ZKV_TRY(const auto repository, members.object("repository"));
  ZKV_TRY(request.repository, repository.hex<sizeof(RepositoryId)>("id"));
  ZKV_TRY(request.generation, repository.number("generation", kLatestTime));
  ZKV_TRY(request.volumes, members.texts("volumes", kMostVolumes, kLongestName));
  ZKV_TRY(const auto evidence, members.object("evidence"));
  ZKV_TRY(request.evidence, read_evidence(evidence));
  ZKV_TRY(request.next_boot, read_next_boot(members));
  ZKV_TRY(request.is_drill, read_drill(members));
  ZKV_TRY(request.successor, read_successor(members));
  return request;
}

template <>
Result<Succession> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  Succession succession;
  ZKV_TRY(succession.host, members.hex<sizeof(KeyId)>("host"));
  ZKV_TRY(succession.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(succession.predecessor, members.hex<sizeof(KeyId)>("predecessor"));
  ZKV_TRY(succession.time, members.time("time"));
  return succession;
}

template <>
Result<Word> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  Word word;
  ZKV_TRY(const auto kind, members.text("word", kLongestWord));
  if (kind != "acknowledge" && kind != "cancel")
    return Error::unsupported("the word '" + kind + "' is not known");
  word.kind = kind == "cancel" ? Word::Kind::kCancel : Word::Kind::kAcknowledge;
  ZKV_TRY(word.request, members.hex<sizeof(RequestHash)>("request"));
  ZKV_TRY(word.time, members.time("time"));
  return word;
}

template <>
Result<Release> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  Release release;
  ZKV_TRY(release.request, members.hex<sizeof(RequestHash)>("request"));
  ZKV_TRY(release.host, members.hex<sizeof(KeyId)>("host"));
  ZKV_TRY(release.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(release.sealed, members.base64_of<sizeof(SealedShare)>("sealed"));
  ZKV_TRY(release.approvals, members.hexes<sizeof(crypto::Sha256)>("approvals", kMostApprovals));
  ZKV_TRY(release.time, members.time("time"));
  return release;
}

template <>
Result<BootApproval> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  BootApproval approval;
  ZKV_TRY(approval.request, members.hex<sizeof(RequestHash)>("request"));
  ZKV_TRY(approval.host, members.hex<sizeof(KeyId)>("host"));
  ZKV_TRY(approval.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(approval.until, members.time("until"));
  ZKV_TRY(approval.approvals, members.hexes<sizeof(crypto::Sha256)>("approvals", kMostApprovals));
  ZKV_TRY(approval.time, members.time("time"));
  return approval;
}

template <>
Result<Tombstone> read_body(std::span<const std::uint8_t> body) {
  ZKV_TRY(const auto object, object_of(body));
  const Members members(object);
  Tombstone tombstone;
  ZKV_TRY(tombstone.host, members.hex<sizeof(KeyId)>("host"));
  ZKV_TRY(tombstone.gateway, members.hex<sizeof(KeyId)>("gateway"));
  ZKV_TRY(tombstone.secret, members.text("secret", kLongestName));
  ZKV_TRY(tombstone.time, members.time("time"));
  return tombstone;
}

}  // namespace zkv::protocol
