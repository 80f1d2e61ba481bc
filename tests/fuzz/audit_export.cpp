// An export of the audit log, line by line, as `zkvgateway audit verify` reads it.
#include "gateway/audit/export.h"

#include "fuzz.h"
#include "gateway/audit/checkpoint.h"
#include "gateway/audit/verifier.h"

namespace zkv::fuzz_audit_export {
namespace {

using namespace zkv::gateway;  // NOLINT(google-build-using-namespace)

constexpr crypto::VerifyingKey kKey{3, 0xa1, 7};

void check_head(std::string_view line) {
  const auto key = audit::read_export_head(line);
  if (!key) return fuzz::require_words(key.error());
  const auto again = audit::read_export_head(audit::export_head(*key));
  fuzz::require(again && *again == *key, "a head written and read again is the same");
}

void check_line(std::string_view line, audit::Verifier& verifier) {
  const auto row = audit::read_export_line(line);
  if (!row) return fuzz::require_words(row.error());
  const auto written = audit::export_line(*row);
  const auto again = audit::read_export_line(written);
  fuzz::require(again && audit::export_line(*again) == written, "a row written and read again is the same");
  fuzz::require(hash_of(*again) == hash_of(*row), "its hash is the same");
  if (const auto taken = verifier.take(*row); !taken) fuzz::require_words(taken.error());
  if (const auto point = audit::open_checkpoint(row->event.detail, kKey); !point) {
    fuzz::require_words(point.error());
  }
}

}  // namespace

ZKV_FUZZ_TARGET(audit_export) {
  auto rest = fuzz::text_of({data, size});
  audit::Verifier verifier(kKey);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    check_head(rest.substr(0, end));
    check_line(rest.substr(0, end), verifier);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  fuzz::require(verifier.checkpoints() == 0, "nobody signs a checkpoint without the key");
  return 0;
}

}  // namespace zkv::fuzz_audit_export
