// Requests as people are shown them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/approval/request.h"
#include "gateway/store/store.h"
#include "protocol/messages.h"

namespace zkv::gateway {

/// A request as people are shown it. The others are there for an enrolled host's.
struct RequestCard {
  Request request;
  std::optional<Host> host;
  std::optional<protocol::RequestMessage> message;
  std::optional<protocol::RequestHash> envelope_hash;
  std::optional<HostAsk> ask;
};

/// Requests as a list shows them. A damaged one does not hide the others.
struct CardList {
  std::vector<RequestCard> cards;
  std::vector<std::string> damaged;  ///< ids of those that cannot be shown
  bool has_more = false;             ///< there are others than these
};

/// What an approval of it binds: the hash of the envelope that its host signed; for a request of the first
/// protocol that of its id and address (docs/protocol-v2.md, "People: sign in, see, decide").
protocol::RequestHash hash_of(const RequestCard& card);
/// The same for a request of the first protocol, of which there is nothing but this.
protocol::RequestHash hash_of_first_protocol(const std::string& id, const std::string& address);

/// Whether the envelope is the one that the request was made for.
bool is_made_for(const Request& request, const protocol::Envelope& envelope);

/// On the ledger's thread, in a transaction. Errors: kCorrupt (what stands behind it is damaged), kNotFound
/// (the same, as it is not there).
Result<RequestCard> card_of(Store& store, const Request& request);
/// At most `limit` of them. Errors: those of the store, but kCorrupt and kNotFound.
Result<CardList> cards_of(Store& store, RequestList requests, std::size_t limit);

/// Of a request or what it stands on: that it is damaged, and not that the database failed.
bool is_damage(const Error& error);
/// What people are told of a damaged request, and what they can do.
Error damaged_request(const std::string& id);

}  // namespace zkv::gateway
