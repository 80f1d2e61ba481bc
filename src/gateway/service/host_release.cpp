// Sealing and signing one release.
#include "gateway/service/host_release.h"

#include <algorithm>
#include <utility>

#include "gateway/service/cards.h"
#include "protocol/messages.h"

namespace zkv::gateway {

Result<std::string> make_release(const Identity& identity, const Request& request, const std::string& ask,
                                 const SecretBytes& share, std::vector<crypto::Sha256> approvals, Time now) {
  const auto damaged = [&](const std::string& what) {
    return Error::corrupt(what + " of request " + request.id.text + " is damaged");
  };
  const auto envelope = protocol::parse_envelope(ask);
  if (!envelope) return damaged("the stored envelope");
  if (!is_made_for(request, *envelope)) return damaged("the stored envelope");
  const auto message = protocol::read_body<protocol::RequestMessage>(envelope->body);
  if (!message) return damaged("the stored message");
  if (message->next_boot) return Error::internal("the request wants its next boot approved, and no share");
  const auto bytes = from_base64_secret(share.view(), Base64::kUrlNoPadding);
  if (!bytes || bytes->size() != protocol::kShareSize) {
    return Error::corrupt("the vault's secret for this host is no share of 32 bytes")
        .remedy("restore it in the vault, or enrol the host again");
  }
  ZKV_TRY(const auto sealed, crypto::seal_to(message->key, bytes->span()));
  protocol::Release release;
  release.request = protocol::hash_of(*envelope);
  release.host = message->host;
  release.gateway = identity.id();
  std::ranges::copy(sealed, release.sealed.begin());
  release.approvals = std::move(approvals);
  release.time = now;
  return protocol::to_json(protocol::seal_message(release, identity.signing()));
}

}  // namespace zkv::gateway
