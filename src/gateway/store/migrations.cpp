// Each schema version's SQL; a published step is never edited, a change is a new step.
#include "gateway/store/migrations.h"

#include <fmt/format.h>

#include <array>

#include "gateway/store/database.h"

namespace zkv::gateway {
namespace {

struct Step {
  int version;
  const char* sql;
};

constexpr std::array kSteps{
    Step{1, R"(CREATE TABLE zkv_request (
                 id TEXT NOT NULL PRIMARY KEY,
                 state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'released', 'acknowledged',
                                                      'denied', 'expired', 'cancelled', 'superseded')),
                 address TEXT NOT NULL,
                 created_at BIGINT NOT NULL,
                 expires_at BIGINT NOT NULL,
                 pin_mac TEXT NOT NULL,
                 wrong_pins INTEGER NOT NULL,
                 token_hash TEXT,
                 decided_by TEXT NOT NULL,
                 reason TEXT NOT NULL))"},
    Step{1, "CREATE INDEX zkv_request_by_time ON zkv_request (created_at)"},
    Step{1, R"(CREATE INDEX zkv_request_open ON zkv_request (created_at)
               WHERE state IN ('pending', 'approved'))"},
    Step{1, R"(CREATE INDEX zkv_request_by_token ON zkv_request (token_hash, created_at)
               WHERE token_hash IS NOT NULL)"},
    Step{1, R"(CREATE TABLE zkv_audit (
                 number BIGINT NOT NULL PRIMARY KEY,
                 at BIGINT NOT NULL,
                 kind TEXT NOT NULL,
                 request TEXT NOT NULL,
                 actor TEXT NOT NULL,
                 detail TEXT NOT NULL,
                 previous TEXT NOT NULL,
                 hash TEXT NOT NULL))"},
    Step{1, "CREATE TABLE zkv_wrong_pin (at BIGINT NOT NULL)"},
    Step{1, "CREATE INDEX zkv_wrong_pin_by_time ON zkv_wrong_pin (at)"},
    Step{1, R"(CREATE TABLE zkv_message (
                 message TEXT NOT NULL PRIMARY KEY,
                 outcome TEXT NOT NULL,
                 at BIGINT NOT NULL))"},
    Step{1, R"(CREATE TABLE zkv_secret (
                 name TEXT NOT NULL PRIMARY KEY,
                 sealed TEXT NOT NULL,
                 changed_at BIGINT NOT NULL))"},
    Step{2, "ALTER TABLE zkv_request ADD COLUMN host TEXT NOT NULL DEFAULT ''"},
    Step{2, R"(CREATE TABLE zkv_host (
                 id TEXT NOT NULL PRIMARY KEY,
                 name TEXT NOT NULL,
                 group_name TEXT NOT NULL,
                 identity TEXT NOT NULL,
                 repository TEXT NOT NULL,
                 enrolled_at BIGINT NOT NULL,
                 asked_at BIGINT NOT NULL,
                 seen_at BIGINT NOT NULL,
                 address TEXT NOT NULL,
                 boot TEXT NOT NULL,
                 kernel TEXT NOT NULL,
                 released_at BIGINT NOT NULL,
                 revoked_at BIGINT NOT NULL,
                 destroyed_at BIGINT NOT NULL))"},
    Step{2, "CREATE UNIQUE INDEX zkv_host_by_name ON zkv_host (name) WHERE revoked_at = 0"},
    Step{2, R"(CREATE TABLE zkv_invite (
                 hash TEXT NOT NULL PRIMARY KEY,
                 kind TEXT NOT NULL CHECK (kind IN ('host', 'approver')),
                 name TEXT NOT NULL,
                 group_name TEXT NOT NULL,
                 created_at BIGINT NOT NULL,
                 expires_at BIGINT NOT NULL,
                 used_by TEXT NOT NULL))"},
    Step{2, R"(CREATE TABLE zkv_ask (
                 request TEXT NOT NULL PRIMARY KEY REFERENCES zkv_request (id) ON DELETE CASCADE,
                 envelope TEXT NOT NULL,
                 is_first_from_address INTEGER NOT NULL,
                 is_new_kernel INTEGER NOT NULL,
                 last_release BIGINT NOT NULL))"},
    Step{2, R"(CREATE TABLE zkv_host_address (
                 host TEXT NOT NULL REFERENCES zkv_host (id) ON DELETE CASCADE,
                 address TEXT NOT NULL,
                 PRIMARY KEY (host, address)))"},
    Step{2, R"(CREATE TABLE zkv_release (
                 request TEXT NOT NULL PRIMARY KEY REFERENCES zkv_request (id) ON DELETE CASCADE,
                 envelope TEXT NOT NULL))"},
    Step{2, "CREATE INDEX zkv_request_by_host ON zkv_request (host, created_at) WHERE host <> ''"},
    Step{3, R"(CREATE TABLE zkv_approver (
                 id TEXT NOT NULL PRIMARY KEY,
                 name TEXT NOT NULL,
                 role TEXT NOT NULL CHECK (role IN ('owner', 'approver')),
                 created_at BIGINT NOT NULL,
                 revoked_at BIGINT NOT NULL))"},
    Step{3, "CREATE UNIQUE INDEX zkv_approver_by_name ON zkv_approver (name) WHERE revoked_at = 0"},
    Step{3, R"(CREATE TABLE zkv_passkey (
                 id TEXT NOT NULL PRIMARY KEY,
                 approver TEXT NOT NULL REFERENCES zkv_approver (id),
                 label TEXT NOT NULL,
                 public_key TEXT NOT NULL,
                 counter BIGINT NOT NULL,
                 backup_eligible INTEGER NOT NULL,
                 backed_up INTEGER NOT NULL,
                 created_at BIGINT NOT NULL,
                 used_at BIGINT NOT NULL,
                 ended_at BIGINT NOT NULL,
                 ended_why TEXT NOT NULL))"},
    Step{3, "CREATE INDEX zkv_passkey_by_approver ON zkv_passkey (approver, created_at)"},
    Step{3, R"(CREATE TABLE zkv_session (
                 hash TEXT NOT NULL PRIMARY KEY,
                 approver TEXT NOT NULL REFERENCES zkv_approver (id),
                 expires_at BIGINT NOT NULL))"},
    Step{3, "CREATE INDEX zkv_session_by_approver ON zkv_session (approver, expires_at)"},
    Step{3, R"(CREATE TABLE zkv_approval (
                 request TEXT NOT NULL REFERENCES zkv_request (id) ON DELETE CASCADE,
                 approver TEXT NOT NULL REFERENCES zkv_approver (id),
                 passkey TEXT NOT NULL REFERENCES zkv_passkey (id),
                 decision TEXT NOT NULL CHECK (decision IN ('approve', 'deny')),
                 at BIGINT NOT NULL,
                 evidence_hash TEXT NOT NULL PRIMARY KEY,
                 evidence TEXT NOT NULL))"},
    Step{3, "CREATE INDEX zkv_approval_by_request ON zkv_approval (request, at)"},
    Step{4, "ALTER TABLE zkv_request ADD COLUMN seal TEXT NOT NULL DEFAULT ''"},
    Step{4, "ALTER TABLE zkv_host ADD COLUMN seal TEXT NOT NULL DEFAULT ''"},
    Step{4, "ALTER TABLE zkv_invite ADD COLUMN seal TEXT NOT NULL DEFAULT ''"},
    Step{4, "ALTER TABLE zkv_approver ADD COLUMN seal TEXT NOT NULL DEFAULT ''"},
    Step{4, "ALTER TABLE zkv_passkey ADD COLUMN seal TEXT NOT NULL DEFAULT ''"},
    Step{4, "ALTER TABLE zkv_session ADD COLUMN seal TEXT NOT NULL DEFAULT ''"},
    Step{5, R"(CREATE TABLE zkv_push_subscription (
                 id TEXT NOT NULL PRIMARY KEY,
                 approver TEXT NOT NULL REFERENCES zkv_approver (id),
                 endpoint TEXT NOT NULL,
                 p256dh TEXT NOT NULL,
                 auth TEXT NOT NULL,
                 label TEXT NOT NULL,
                 failure TEXT NOT NULL,
                 created_at BIGINT NOT NULL,
                 told_at BIGINT NOT NULL,
                 UNIQUE (approver, endpoint)))"},
    Step{6, R"(CREATE TABLE zkv_boot_approval (
                 host TEXT NOT NULL PRIMARY KEY REFERENCES zkv_host (id) ON DELETE CASCADE,
                 approved_by TEXT NOT NULL,
                 approved_at BIGINT NOT NULL,
                 until BIGINT NOT NULL,
                 boot TEXT NOT NULL,
                 evidence TEXT NOT NULL,
                 used_by TEXT NOT NULL,
                 seal TEXT NOT NULL))"},
    Step{7, R"(CREATE TABLE zkv_recovery_code (
                 hash TEXT NOT NULL PRIMARY KEY,
                 approver TEXT NOT NULL REFERENCES zkv_approver (id),
                 made_at BIGINT NOT NULL,
                 seal TEXT NOT NULL))"},
    Step{7, "CREATE INDEX zkv_recovery_code_by_approver ON zkv_recovery_code (approver)"},
    Step{8, "ALTER TABLE zkv_ask ADD COLUMN replaces_other_boot INTEGER NOT NULL DEFAULT 0"},
    Step{9, R"(CREATE TABLE zkv_totp (
                 approver TEXT NOT NULL PRIMARY KEY REFERENCES zkv_approver (id),
                 sealed TEXT NOT NULL,
                 made_at BIGINT NOT NULL,
                 begun_at BIGINT NOT NULL,
                 last_step BIGINT NOT NULL,
                 wrong INTEGER NOT NULL,
                 locked_until BIGINT NOT NULL,
                 logged BIGINT NOT NULL,
                 seal TEXT NOT NULL))"},
    Step{9, "ALTER TABLE zkv_session ADD COLUMN kind TEXT NOT NULL DEFAULT 'passkey'"},
    Step{9, R"(CREATE INDEX zkv_audit_totp ON zkv_audit (actor, number)
               WHERE kind IN ('totp.set', 'totp.begin', 'totp.sign-in', 'totp.decide', 'totp.wrong',
                              'totp.lock', 'totp.remove'))"},
    Step{10, R"(CREATE TABLE zkv_heartbeat (
                  host TEXT NOT NULL PRIMARY KEY REFERENCES zkv_host (id) ON DELETE CASCADE,
                  at BIGINT NOT NULL,
                  said_at BIGINT NOT NULL,
                  address TEXT NOT NULL,
                  version TEXT NOT NULL,
                  generation BIGINT NOT NULL,
                  finding_count BIGINT NOT NULL,
                  findings TEXT NOT NULL))"},
    Step{11, R"(CREATE TABLE zkv_succession (
                  invite TEXT NOT NULL PRIMARY KEY REFERENCES zkv_invite (hash) ON DELETE CASCADE,
                  predecessor TEXT NOT NULL REFERENCES zkv_host (id) ON DELETE CASCADE,
                  seal TEXT NOT NULL))"},
    Step{11, "CREATE INDEX zkv_succession_by_predecessor ON zkv_succession (predecessor)"},
};

Result<int> current_version(Database& database) {
  return database.run("reading the schema's version", [](soci::session& sql) {
    sql << "CREATE TABLE IF NOT EXISTS zkv_schema (version INTEGER NOT NULL)";
    int version = 0;
    soci::indicator present = soci::i_null;
    sql << "SELECT MAX(version) FROM zkv_schema", soci::into(version, present);
    return present == soci::i_ok ? version : 0;
  });
}

Error too_new(int found) {
  return Error::unsupported(fmt::format("the database has schema version {}, this program knows version {}",
                                        found, schema_version()))
      .remedy("install the newer zkvgateway again, or restore the backup that was made before its upgrade");
}

Result<> take_steps_after(Database& database, int version) {
  for (const auto& step : kSteps) {
    if (step.version > version) ZKV_CHECK(database.execute(step.sql));
  }
  return database.run("writing the schema's version", [](soci::session& sql) {
    const int newest = schema_version();
    sql << "DELETE FROM zkv_schema";
    sql << "INSERT INTO zkv_schema (version) VALUES (:version)", soci::use(newest);
  });
}

}  // namespace

int schema_version() { return kSteps.back().version; }

Result<> migrate(Database& database) {
  return database.transaction([&]() -> Result<> {
    ZKV_TRY(const int version, current_version(database));
    if (version > schema_version()) return too_new(version);
    if (version == schema_version()) return {};
    return take_steps_after(database, version);
  });
}

}  // namespace zkv::gateway
