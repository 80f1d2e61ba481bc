// What a person types, or gives as the text of a recovery kit: words, rows, parts, and what they join to.
#include "fuzz.h"
#include "recovery/kit_reader.h"
#include "recovery/part.h"

namespace zkv::fuzz_kit_text {
ZKV_FUZZ_TARGET(kit_text) {
  using namespace zkv;  // NOLINT(google-build-using-namespace)
  const auto text = fuzz::text_of({data, size});
  const auto part = recovery::read_part(text);
  if (!part) {
    fuzz::require_words(part.error());
    static_cast<void>(recovery::find_wrong_words(text));
  } else {
    const auto again = recovery::read_part(recovery::write_part(*part).view());
    fuzz::require(again && again->mark == part->mark && again->index == part->index &&
                      fuzz::equal(again->value.span(), part->value.span()),
                  "a part that was read is written with the same meaning");
  }
  recovery::KitReader reader;
  for (const auto& found : recovery::parts_in(text)) {
    const auto added = reader.add(found.view());
    if (!added) fuzz::require_words(added.error());
  }
  fuzz::require(!reader.wanted().empty(), "what is wanted next has words");
  return 0;
}

}  // namespace zkv::fuzz_kit_text
