// A client's side of a request as commands for the ledger: asking, coming back, going away, having been
// served.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "gateway/service/desk.h"
#include "gateway/service/ledger.h"
#include "gateway/service/notices.h"
#include "gateway/service/service.h"

namespace zkv::gateway {

class Asks {
 public:
  /// Notes for the audit log, gathered: kind, address, request.
  using Note = std::function<void(const std::string&, const std::string&, const RequestId&)>;

  Asks(Desk& desk, Notices& notices, const ServiceOptions& options, Note note)
      : desk_(desk), notices_(notices), options_(options), note_(std::move(note)) {}

  /// Makes a request, or finds that of the client's token, and lets `ticket` wait for it. A denied one is
  /// answered again; one that ended otherwise makes way for a new one, which needs a new approval.
  Command ask(const std::shared_ptr<Ticket>& ticket, const Ask& ask);
  Command client_gone(const std::shared_ptr<Ticket>& ticket);
  Command delivered(const RequestId& id, bool in_full);

 private:
  /// What one ask came to, between its transaction and its end.
  struct Entry {
    std::string address;
    std::optional<Bytes> token_hash;
    bool is_too_many = false;
    std::optional<Request> opened;
    Turn turn = Turn::kNone;
    SecretBytes pin;
    Decisions decisions;
  };

  Result<> enter(Ticket& ticket, Entry& entry);
  [[nodiscard]] bool has_room(const std::string& address) const;
  Result<bool> reattach(Ticket& ticket, Entry& entry);
  Result<> open(Ticket& ticket, Entry& entry);
  Result<Request> make_request(Entry& entry);
  Result<> add_pin(Request& request, Entry& entry);
  void seat(const std::shared_ptr<Ticket>& ticket, const Entry& entry);

  Desk& desk_;
  Notices& notices_;
  const ServiceOptions& options_;
  Note note_;
};

}  // namespace zkv::gateway
