// From the store to a card.
#include "gateway/service/cards.h"

#include <algorithm>

#include "crypto/hash.h"

namespace zkv::gateway {

protocol::RequestHash hash_of(const RequestCard& card) {
  if (card.envelope_hash) return *card.envelope_hash;
  return hash_of_first_protocol(card.request.id.text, card.request.address);
}

protocol::RequestHash hash_of_first_protocol(const std::string& id, const std::string& address) {
  std::string bound("zkv request 1");
  bound += '\0';
  bound += id;
  bound += '\0';
  bound += address;
  return crypto::sha256(bytes_of(bound));
}

bool is_made_for(const Request& request, const protocol::Envelope& envelope) {
  return request.token_hash && std::ranges::equal(protocol::hash_of(envelope), *request.token_hash);
}

Result<RequestCard> card_of(Store& store, const Request& request) {
  RequestCard card;
  card.request = request;
  if (request.host.empty()) return card;
  ZKV_TRY(card.host, store.hosts().find_host(request.host));
  ZKV_TRY(card.ask, store.hosts().ask_of(request.id));
  const auto envelope = protocol::parse_envelope(card.ask->envelope);
  auto message = envelope ? protocol::read_body<protocol::RequestMessage>(envelope->body)
                          : Result<protocol::RequestMessage>(tl::unexpected(envelope.error()));
  if (!message || !is_made_for(request, *envelope)) {
    return Error::corrupt("what was signed for request " + request.id.text + " is damaged in the database");
  }
  card.message = std::move(*message);
  card.envelope_hash = protocol::hash_of(*envelope);
  return card;
}

Result<CardList> cards_of(Store& store, RequestList requests, std::size_t limit) {
  CardList list;
  list.has_more = requests.requests.size() + requests.damaged.size() > limit;
  if (requests.requests.size() > limit) requests.requests.resize(limit);
  list.damaged = std::move(requests.damaged);
  for (const auto& request : requests.requests) {
    auto card = card_of(store, request);
    if (card) {
      list.cards.push_back(std::move(*card));
    } else if (is_damage(card.error())) {
      list.damaged.push_back(request.id.text);
    } else {
      return tl::unexpected(card.error());
    }
  }
  return list;
}

bool is_damage(const Error& error) {
  return error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kNotFound;
}

Error damaged_request(const std::string& id) {
  return Error::corrupt("request " + id + " is damaged in the database: nobody can approve it")
      .remedy(
          "see by 'zkvgateway audit verify' whether somebody changed the database, then 'zkvgateway "
          "request discard " +
          id + "': its host asks anew");
}

}  // namespace zkv::gateway
