// Links by which a machine enrols: there is one text for each.
#include "protocol/invite_link.h"

#include "fuzz.h"

namespace zkv::fuzz_invite_link {
ZKV_FUZZ_TARGET(invite_link) {
  using namespace zkv;  // NOLINT(google-build-using-namespace)
  const auto text = fuzz::text_of({data, size});
  const auto link = protocol::parse_invite_link(text);
  if (!link) {
    fuzz::require_words(link.error());
  } else {
    fuzz::require(to_text(*link) == text, "a link that was read is written as it stood");
  }
  return 0;
}

}  // namespace zkv::fuzz_invite_link
