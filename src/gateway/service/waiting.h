// The clients that wait, by request: at most one for each. On the ledger's thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/service/completion.h"
#include "gateway/service/service.h"

namespace zkv::gateway {

/// One client's wait: answered once.
class Ticket {
 public:
  explicit Ticket(Completion<Answer> completion) : completion_(std::move(completion)) {}

  void answer(Answer answer) { completion_(std::move(answer)); }
  [[nodiscard]] bool is_answered() const { return !completion_.is_open(); }

  RequestId request;  ///< what it waits for, once that is known
  bool gone = false;  ///< the client went away: nothing may be released to it

 private:
  Completion<Answer> completion_;
};

class Waiting {
 public:
  /// A client that came back takes the place of its older connection, which is told kCancelled.
  void add(std::shared_ptr<Ticket> ticket);
  /// Whether somebody is there to take what is released for `id`.
  [[nodiscard]] bool holds(const RequestId& id) const;
  void answer(const RequestId& id, Answer::Outcome outcome,
              std::shared_ptr<const SecretBytes> share = nullptr);
  void remove(const Ticket& ticket);
  [[nodiscard]] std::vector<RequestId> requests() const;

 private:
  std::unordered_map<std::string, std::shared_ptr<Ticket>> by_request_;
};

}  // namespace zkv::gateway
