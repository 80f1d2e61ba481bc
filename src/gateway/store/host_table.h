// Hosts, invites and what hosts signed as rows: the statements on zkv_host, zkv_invite, zkv_ask, zkv_release.
#pragma once

#include <string>
#include <vector>

#include "gateway/store/database.h"
#include "gateway/store/host_store.h"
#include "gateway/store/request_table.h"
#include "gateway/store/row_seal.h"

namespace zkv::gateway {

class HostTable : public HostStore {
 public:
  HostTable(Database& database, RequestTable& requests, RowSeal seal)
      : database_(database), requests_(requests), seal_(std::move(seal)) {}

  Result<> insert(const Invite& invite) override;
  Result<std::optional<Invite>> find_invite(const Bytes& hash) override;
  Result<std::vector<Invite>> open_invites(Time at) override;
  Result<> use_invite(const Bytes& hash, const std::string& by) override;
  Result<> insert(const Succession& succession) override;
  Result<std::vector<Invite>> successions_of(const std::string& predecessor) override;
  Result<> insert(const Host& host) override;
  Result<> update(const Host& host) override;
  Result<std::optional<Host>> find_host(const std::string& id) override;
  Result<Host> host_called(const std::string& name_or_id) override;
  Result<std::vector<Host>> all_hosts() override;
  Result<RequestList> open_requests_of(const std::string& host) override;
  Result<bool> knows_address(const std::string& host, const std::string& address) override;
  Result<> remember_address(const std::string& host, const std::string& address) override;
  Result<> share_addresses(const std::string& from, const std::string& to) override;
  Result<> insert_ask(const RequestId& request, const HostAsk& ask) override;
  Result<HostAsk> ask_of(const RequestId& request) override;
  Result<> insert_release(const RequestId& request, const std::string& envelope) override;
  Result<std::optional<std::string>> release_of(const RequestId& request) override;
  Result<> end_releases_of(const std::string& host) override;
  Result<> put(const BootApproval& approval) override;
  Result<std::optional<BootApproval>> boot_approval_of(const std::string& host) override;
  Result<std::vector<BootApproval>> boot_approvals() override;
  Result<> end_boot_approval(const std::string& host) override;
  Result<> put(const LastHeartbeat& heartbeat) override;
  Result<std::optional<LastHeartbeat>> heartbeat_of(const std::string& host) override;
  Result<std::vector<LastHeartbeat>> heartbeats() override;
  /// Seals the hosts that are there, whoever wrote them; invites end.
  Result<> adopt();

 private:
  /// `rest` is what follows the table's name in the SELECT; `parameter` fills its one parameter.
  Result<std::vector<Invite>> read_invites(const std::string& rest, const std::string& parameter);
  Result<> check_name_is_free(const Host& host);
  Result<std::vector<BootApproval>> select_boot_approvals(const std::string& rest,
                                                          const std::optional<std::string>& parameter);
  Result<std::vector<LastHeartbeat>> select_heartbeats(const std::string& rest,
                                                       const std::optional<std::string>& parameter);
  Result<std::vector<Host>> select(const std::string& rest, const std::vector<std::string>& parameters);

  Database& database_;
  RequestTable& requests_;
  RowSeal seal_;
};

}  // namespace zkv::gateway
