// The plaintext of a repository's body: whoever has the key can write any.
#include "repository/body.h"

#include "fuzz.h"

namespace zkv::fuzz_repository_body {
ZKV_FUZZ_TARGET(repository_body) {
  using namespace zkv;  // NOLINT(google-build-using-namespace)
  const auto keys = repository::read_body(SecretBytes::copy_of(std::span(data, size)));
  if (!keys) {
    fuzz::require_words(keys.error());
    return 0;
  }
  const auto written = repository::write_body(*keys);
  fuzz::require(written.size() == size, "nothing of a body is lost, whether it is known or not");
  const auto again = repository::read_body(written);
  fuzz::require(again && fuzz::equal(repository::write_body(*again).span(), written.span()),
                "a body read again is the same");
  for (const auto& volume : keys->volumes()) {
    fuzz::require(keys->contains(volume.name), "each volume is found by its name");
  }
  return 0;
}

}  // namespace zkv::fuzz_repository_body
