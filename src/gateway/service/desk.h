// Where decide meets the store: an event is applied within the ledger's transaction, with its audit row, and
// its effects are carried out after the commit. On the ledger's thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/approval/decide.h"
#include "gateway/service/deadlines.h"
#include "gateway/service/open_asks.h"
#include "gateway/service/waiting.h"
#include "gateway/service/watchers.h"
#include "gateway/store/store.h"

namespace zkv::gateway {

/// What was decided in a transaction, to be carried out when it is on disk.
using Decisions = std::vector<Decision>;

class Desk {
 public:
  Desk(Store& store, const Policy& policy) : store_(store), policy_(policy) {}

  /// Called for each approved request whose client is there, or need not be: an enrolled host's.
  void on_recover(std::function<void(const Request&)> recover) { recover_ = std::move(recover); }

  /// Called for each request of the first protocol that people were not told of and that ended undecided.
  void on_unanswered(std::function<void(const Request&)> unanswered) { unanswered_ = std::move(unanswered); }

  /// In a transaction: decides, writes the request and the audit row, and notes the decision in `decisions`.
  /// `evidence`, if there is any, gets a row of its own before that of what it decided. Returns the request
  /// as it is now. Errors: those of decide and of the store.
  Result<Request> apply(const Request& request, const Event& event, const std::string& actor,
                        Decisions& decisions, const std::string& evidence = {});
  /// In a transaction: the first decision about a new request. `detail` is for its audit row: an enrolled
  /// host's name and the request's hash, by which an approval can be checked from the log alone. One that
  /// stands in asks() as untold gets its row with a person's first decision about it, and none before.
  Result<> open(const Request& request, const std::string& detail = {});
  /// In a transaction: one audit row. Text that came from outside is shortened and made printable.
  Result<> note(const std::string& kind, const std::string& request, const std::string& actor,
                const std::string& detail);

  /// In a transaction: of a request that is damaged or gone nothing is remembered any more, and whoever waits
  /// for it is told that it was cancelled.
  static void drop(const RequestId& id, Decisions& decisions);

  /// After the commit. `share` is what is handed out where a decision releases.
  void carry_out(const Decisions& decisions, const std::shared_ptr<const SecretBytes>& share = nullptr);

  [[nodiscard]] Store& store() { return store_; }
  [[nodiscard]] Waiting& waiting() { return waiting_; }
  [[nodiscard]] Deadlines& deadlines() { return deadlines_; }
  [[nodiscard]] OpenAsks& asks() { return asks_; }
  [[nodiscard]] Watchers& watchers() { return watchers_; }

 private:
  void carry_out(const Decision& decision, const Effect& effect,
                 const std::shared_ptr<const SecretBytes>& share);
  Result<> record(const Request& before, const Decision& decision, const Event& event,
                  const std::string& actor, const std::string& evidence);
  /// Writes what the log lacks about who asks: the ask that nobody was told of, the address where it is
  /// another.
  Result<> complete_rows(const Request& request);
  void follow(const Request& request);

  Store& store_;
  Policy policy_;
  Waiting waiting_;
  Deadlines deadlines_;
  OpenAsks asks_;
  Watchers watchers_;
  std::function<void(const Request&)> recover_;
  std::function<void(const Request&)> unanswered_;
};

/// Of the row of the audit log that says how a request came into a state.
std::string kind_of_row(State state);

/// At most `longest` bytes of `text`, control characters replaced by spaces.
std::string printable(std::string text, std::size_t longest = 300);

}  // namespace zkv::gateway
