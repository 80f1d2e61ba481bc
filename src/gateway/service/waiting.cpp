// Who waits for which request.
#include "gateway/service/waiting.h"

namespace zkv::gateway {

void Waiting::add(std::shared_ptr<Ticket> ticket) {
  answer(ticket->request, Answer::Outcome::kCancelled);
  const auto id = ticket->request.text;
  by_request_[id] = std::move(ticket);
}

bool Waiting::holds(const RequestId& id) const {
  const auto found = by_request_.find(id.text);
  return found != by_request_.end() && !found->second->gone;
}

void Waiting::answer(const RequestId& id, Answer::Outcome outcome, std::shared_ptr<const SecretBytes> share) {
  const auto found = by_request_.find(id.text);
  if (found == by_request_.end()) return;
  const auto ticket = std::move(found->second);
  by_request_.erase(found);
  ticket->answer({outcome, id, std::move(share)});
}

void Waiting::remove(const Ticket& ticket) {
  const auto found = by_request_.find(ticket.request.text);
  if (found != by_request_.end() && found->second.get() == &ticket) by_request_.erase(found);
}

std::vector<RequestId> Waiting::requests() const {
  std::vector<RequestId> ids;
  ids.reserve(by_request_.size());
  for (const auto& [id, ticket] : by_request_) ids.push_back({id});
  return ids;
}

}  // namespace zkv::gateway
