// The seed's file of settings.
#include "fuzz.h"
#include "gateway/settings/sources.h"

namespace zkv::fuzz_settings_seed {
ZKV_FUZZ_TARGET(settings_seed) {
  using namespace zkv;  // NOLINT(google-build-using-namespace)
  const auto source = gateway::parse_seed_text(fuzz::text_of({data, size}), "seed.cfg");
  for (const auto& problem : source.problems) {
    fuzz::require_words(problem);
    fuzz::require(problem.message().find("seed.cfg:") != std::string::npos, "a problem names its line");
  }
  for (const auto& given : source.given) {
    fuzz::require(given.name.setting != nullptr && !given.origin.empty(), "what is given is in the table");
  }
  return 0;
}

}  // namespace zkv::fuzz_settings_seed
