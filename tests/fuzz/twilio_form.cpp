// Twilio's form and its signature: URL, signature and form, with zero bytes between them.
#include "fuzz.h"
#include "gateway/channel/twilio_signature.h"
#include "gateway/http/message.h"
#include "net/form.h"

namespace zkv::fuzz_twilio_form {
namespace {

constexpr std::string_view kToken = "a token that no input can know";

}  // namespace

ZKV_FUZZ_TARGET(twilio_form) {
  fuzz::Pieces pieces({data, size});
  const auto url = pieces.text();
  const auto signature = pieces.text();
  const auto fields = gateway::http::parse_form(fuzz::text_of(pieces.rest()));
  net::FormBuilder again;
  for (const auto& [name, value] : fields) {
    again.add(name, value);
    if (fields.size() == 1) fuzz::require(gateway::http::find_field(fields, name) == value, "it is found");
  }
  const auto written = again.take();
  fuzz::require(gateway::http::parse_form(written.view()) == fields,
                "a form written and read again is the same");
  fuzz::require(!gateway::twilio_signature_is_valid(bytes_of(kToken), url, fields, signature),
                "nobody signs without the token");
  return 0;
}

}  // namespace zkv::fuzz_twilio_form
