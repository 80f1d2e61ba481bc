// Apps set up, used and removed.
#include "totp_check.h"

#include "base/encoding.h"
#include "passkey_book.h"
#include "protocol/json_members.h"

namespace zkv::cli {

namespace {

using gateway::audit::Row;

constexpr std::size_t kLargestTotpDetail = std::size_t{4} << 10U;
constexpr std::size_t kLongestTotpWord = 128;
constexpr std::uint64_t kLastStep = std::uint64_t{1} << 40U;
constexpr const char* kBySelf = "approver:";
constexpr const char* kByCode = "totp:";

Error unreadable_code(const Row& row) { return does_not_hold(row, "what it says of a code cannot be read"); }

}  // namespace

Result<> TotpCheck::take(const Row& row) {
  const auto& event = row.event;
  const auto object = protocol::parse_object(event.detail, kLargestTotpDetail);
  if (!object) return unreadable_code(row);
  const protocol::Members members(*object);
  const auto approver = members.text("approver", kLongestTotpWord);
  if (!approver) return unreadable_code(row);
  if (event.kind == "totp.set") {
    const auto name = event.actor.starts_with(kBySelf) ? event.actor.substr(std::string(kBySelf).size()) : "";
    apps_[*approver] = {name, false, 0};
    return {};
  }
  const auto app = apps_.find(*approver);
  if (app == apps_.end()) return does_not_hold(row, "a code of an app that nobody had set up");
  if (event.kind == "totp.remove") {
    apps_.erase(app);
    return {};
  }
  if (event.actor != kByCode + app->second.name) return does_not_hold(row, "a code of somebody else's app");
  if (event.kind == "totp.lock" || event.kind == "totp.wrong") return {};
  const auto step = members.number("step", kLastStep);
  if (!step) return unreadable_code(row);
  ZKV_CHECK(use(row, app->second, *step));
  if (event.kind != "totp.decide") return {};
  const auto decision = members.text("decision", kLongestTotpWord);
  const auto hash = members.text("request", kLongestTotpWord);
  if (!decision || !hash) return unreadable_code(row);
  decided_ = {event.actor, "request." + *decision, *hash};
  ++decisions_;
  return {};
}

Result<> TotpCheck::use(const Row& row, App& app, std::uint64_t step) {
  if (step <= app.step)
    return does_not_hold(row, "a code that was used before, or is older than one that was");
  if (row.event.kind == "totp.begin") app.has_begun = true;
  if (!app.has_begun) return does_not_hold(row, "a code of an app whose first code was not given");
  app.step = step;
  return {};
}

void TotpCheck::revoked(const Row& row) {
  const auto& detail = row.event.detail;
  const auto id = from_hex(detail.substr(detail.rfind(' ') + 1));
  if (id) apps_.erase(to_base64(*id, Base64::kUrlNoPadding));
}

}  // namespace zkv::cli
