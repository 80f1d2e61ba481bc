// Requests, tries and the audit log in SQL. For one thread at a time; the service's own thread is that one.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/approval/request.h"
#include "gateway/audit/row.h"
#include "gateway/store/host_store.h"
#include "gateway/store/people_store.h"
#include "gateway/store/push_store.h"
#include "gateway/store/request_list.h"
#include "gateway/store/totp_store.h"

namespace zkv::gateway {

struct StoreOptions {
  std::chrono::milliseconds busy_timeout{5'000};  ///< how long to wait for another process that writes
  std::uint32_t max_pages = 0;  ///< most pages of 4 KiB that the file may grow to; 0: no limit
  /// Of 32 bytes: seals the rows of requests, hosts, invites, approvers, passkeys, recovery codes, codes of
  /// apps and sessions, so that one which something else wrote is refused (kCorrupt) when it is read. Null:
  /// for looking at the audit log.
  std::shared_ptr<const SecretBytes> seal_key = nullptr;
  bool adopts = false;  ///< seals what is there, whoever wrote it: at the first start with this key
};

class Store {
 public:
  /// Opens (or makes, mode 0600) the SQLite database at `path` (WAL, synchronous=FULL), checks that it is
  /// whole, and migrates it to this program's schema. Our tables begin with zkv_, so that the file may be the
  /// seed's own. Errors: kIo, kCorrupt, kUnsupported (made by a newer program: the message names both
  /// versions), kUnavailable (locked by another process for longer than the time limit).
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path, StoreOptions options = {});
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  /// Runs `work` in one transaction: all of it is there afterwards, or nothing. Inside another transaction it
  /// is a part of that one which can fail by itself. After an SQL error nothing more is done in the same
  /// transaction or part, even if `work` goes on. Errors: those of `work`; kIo when the commit fails.
  virtual Result<> transaction(const std::function<Result<>()>& work) = 0;

  virtual Result<> insert(const Request& request) = 0;
  /// Writes `next` where the row is still in state `from`. Errors: kConflict when it is not.
  virtual Result<> update(const Request& next, State from) = 0;
  /// Errors: kNotFound.
  virtual Result<Request> find(const RequestId& id) = 0;
  /// The newest request of that token that is not damaged.
  virtual Result<std::optional<Request>> find_by_token(const Bytes& token_hash) = 0;
  /// Those that have not ended, oldest first.
  virtual Result<RequestList> open_requests() = 0;
  /// The first of those that have not ended: enrolled hosts' before those of the first protocol, each oldest
  /// first.
  virtual Result<RequestList> first_open(std::size_t limit) = 0;
  /// The newest, newest first; with an id those that are older than that one, none where it is unknown.
  virtual Result<RequestList> recent(std::size_t limit, const std::optional<RequestId>& before) = 0;
  /// Those made since a time that were given a PIN, oldest first: people were told of each.
  virtual Result<RequestList> with_pin_since(Time since) = 0;
  /// Those that stand as approved, released, acknowledged or denied.
  virtual Result<RequestList> decided() = 0;
  /// Deletes a request, damaged or not, with what its host signed. Errors: kNotFound.
  virtual Result<> discard(const RequestId& id) = 0;
  /// Deletes ended requests, provider's messages, wrong tries and sessions that ended before `before`; the
  /// audit log keeps what happened.
  virtual Result<> forget_before(Time before) = 0;

  /// Writes a little that leaves nothing behind: fails where nothing can be written, as on a full disk.
  virtual Result<> prove_writable() = 0;

  /// Chains one row on the audit log, in the same transaction as the change that it records.
  virtual Result<> append(const audit::Event& event) = 0;
  /// Rows numbered `first` and up, at most `limit`. Errors: kCorrupt when a row cannot be read as one.
  virtual Result<std::vector<audit::Row>> audit_rows(std::uint64_t first, std::size_t limit) = 0;
  /// The newest row, if there is any.
  virtual Result<std::optional<audit::Row>> audit_head() = 0;
  /// Of those requests of the first protocol that have not ended, by their ids: the address that the newest
  /// row of its kind says; none where there is no row of the ask.
  virtual Result<std::map<std::string, std::string>> logged_asks() = 0;

  /// Wrong PINs since a time, for the hourly limit that outlives a restart.
  virtual Result<unsigned> wrong_pins_since(Time since) = 0;
  virtual Result<> add_wrong_pin(Time at) = 0;
  /// The outcome that a provider's message had, if it was seen before; and remembers a new one.
  virtual Result<std::optional<std::string>> message_outcome(const std::string& message) = 0;
  virtual Result<> remember_message(const std::string& message, const std::string& outcome, Time at) = 0;

  /// Enrolled hosts and what belongs to them, in the same database and the same transactions.
  virtual HostStore& hosts() = 0;
  /// The same of those who decide.
  virtual PeopleStore& people() = 0;
  /// The same of where they are told.
  virtual PushStore& push() = 0;
  /// The same of their codes.
  virtual TotpStore& totps() = 0;
};

}  // namespace zkv::gateway
