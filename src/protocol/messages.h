// The bodies of version 2's signed messages (docs/protocol-v2.md). Reading one checks its form and its
// limits, and nothing else: who signed it is the envelope's matter, whether it is right now the caller's.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/sealed_box.h"
#include "crypto/signature.h"
#include "protocol/envelope.h"
#include "protocol/host_identity.h"

namespace zkv::protocol {

inline constexpr std::size_t kShareSize = 32;
inline constexpr std::size_t kInviteSize = 20;
inline constexpr std::chrono::seconds kShortestNextBoot{60};
inline constexpr std::chrono::seconds kLongestNextBoot{86'400};
inline constexpr std::size_t kMostVolumes = 1000;
inline constexpr std::size_t kLongestName = 255;  ///< bytes of a host's, volume's or gateway's name
/// What a gateway says that it knows beyond the first gateways of version 2.
inline constexpr std::string_view kKnowsDrills = "drill";
inline constexpr std::string_view kKnowsHeartbeats = "heartbeat";
inline constexpr std::string_view kKnowsSuccessions = "succession";

using RepositoryId = std::array<std::uint8_t, 16>;
using RequestHash = crypto::Sha256;
/// A share in a sealed box.
using SealedShare = std::array<std::uint8_t, kShareSize + crypto::kSealedBoxOverhead>;

/// Who a gateway is, and what time it has.
struct GatewayStatement {
  static constexpr std::string_view kType = "application/vnd.zkv.gateway+json";
  KeyId gateway{};
  crypto::VerifyingKey signing{};
  crypto::BoxPublicKey sealing{};
  std::string name;
  Time time;
  std::vector<std::string> knows = {};

  [[nodiscard]] bool does_know(std::string_view what) const;
};

/// A host's identity and its vault share, by an invite.
struct Enrolment {
  static constexpr std::string_view kType = "application/vnd.zkv.enrolment+json";
  std::array<std::uint8_t, kInviteSize> invite{};
  KeyId gateway{};
  HostIdentity identity;
  RepositoryId repository{};
  SealedShare share{};
  Time time;
};

/// What a host says of itself when it asks; shown to the approver as the host's own words.
struct Evidence {
  std::string boot_id;
  std::string kernel;
  std::string hostname;
  std::uint64_t uptime = 0;  ///< seconds
  std::vector<std::string> addresses;
  bool is_planned = false;
  bool has_tpm = false;  ///< identity and local share are in a TPM
};

struct RequestMessage {
  static constexpr std::string_view kType = "application/vnd.zkv.request+json";
  KeyId host{};
  KeyId gateway{};
  crypto::BoxPublicKey key{};  ///< fresh for this request
  Time time;
  std::string number;  ///< two digits, on the host's console and on the approver's page
  RepositoryId repository{};
  std::uint64_t generation = 0;
  std::vector<std::string> volumes;
  Evidence evidence;
  /// What is asked is no share, but an approval of the host's next boot, good for so long: a minute to a day.
  std::optional<std::chrono::seconds> next_boot = std::nullopt;
  bool is_drill = false;  ///< the share is wanted to see whether a boot would succeed, and nothing is opened
  /// SHA-256 of a token that the host keeps: released, the request makes it the token of an invite, by which
  /// the host enrols with a new identity and share and then takes its own place.
  std::optional<crypto::Sha256> successor = std::nullopt;
};

/// The word of a host that enrolled by an invite of its predecessor: from now on it is the host, and the
/// predecessor's share can be destroyed.
struct Succession {
  static constexpr std::string_view kType = "application/vnd.zkv.succession+json";
  KeyId host{};
  KeyId gateway{};
  KeyId predecessor{};
  Time time;
};

/// What a host says about a request of its own.
struct Word {
  static constexpr std::string_view kType = "application/vnd.zkv.word+json";
  enum class Kind { kAcknowledge, kCancel };
  Kind kind = Kind::kAcknowledge;
  RequestHash request{};
  Time time;
};

/// The answer to an approved request.
struct Release {
  static constexpr std::string_view kType = "application/vnd.zkv.release+json";
  RequestHash request{};
  KeyId host{};
  KeyId gateway{};
  SealedShare sealed{};
  std::vector<crypto::Sha256> approvals;  ///< of the evidence of each
  Time time;
};

/// The answer to an approved request for the next boot.
struct BootApproval {
  static constexpr std::string_view kType = "application/vnd.zkv.boot-approval+json";
  RequestHash request{};
  KeyId host{};
  KeyId gateway{};
  Time until;
  std::vector<crypto::Sha256> approvals;  ///< as in a release
  Time time;
};

/// The gateway's word that it has destroyed a revoked host's share: kept in its audit log.
struct Tombstone {
  static constexpr std::string_view kType = "application/vnd.zkv.tombstone+json";
  KeyId host{};
  KeyId gateway{};
  std::string secret;  ///< the share's name in the vault
  Time time;
};

std::string to_body(const GatewayStatement& statement);
std::string to_body(const Enrolment& enrolment);
std::string to_body(const RequestMessage& request);
std::string to_body(const Succession& succession);
std::string to_body(const Word& word);
std::string to_body(const Release& release);
std::string to_body(const BootApproval& approval);
std::string to_body(const Tombstone& tombstone);

/// Errors: kInvalid, with the member that is wrong.
template <class Message>
Result<Message> read_body(std::span<const std::uint8_t> body);
template <>
Result<GatewayStatement> read_body(std::span<const std::uint8_t> body);
template <>
Result<Enrolment> read_body(std::span<const std::uint8_t> body);
template <>
Result<RequestMessage> read_body(std::span<const std::uint8_t> body);
template <>
Result<Succession> read_body(std::span<const std::uint8_t> body);
template <>
Result<Word> read_body(std::span<const std::uint8_t> body);
template <>
Result<Release> read_body(std::span<const std::uint8_t> body);
template <>
Result<BootApproval> read_body(std::span<const std::uint8_t> body);
template <>
Result<Tombstone> read_body(std::span<const std::uint8_t> body);

/// The message of an envelope whose signature fits `key`. Errors: kDenied, kInvalid.
template <class Message>
Result<Message> open_envelope(const Envelope& envelope, const crypto::VerifyingKey& key) {
  ZKV_CHECK(check_signature(envelope, Message::kType, key));
  return read_body<Message>(envelope.body);
}

template <class Message>
Envelope seal_message(const Message& message, const crypto::SigningKey& key) {
  return sign(Message::kType, to_body(message), key);
}

/// Errors: the signer's.
template <class Message>
Result<Envelope> seal_message(const Message& message, const Signer& signer) {
  return sign(Message::kType, to_body(message), signer);
}

}  // namespace zkv::protocol
