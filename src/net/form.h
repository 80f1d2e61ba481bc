// The body of a form (application/x-www-form-urlencoded), built in secret memory.
#pragma once

#include <string>
#include <string_view>

#include "base/secret_bytes.h"

namespace zkv::net {

/// `text` with all but the unreserved characters as %XX. Source: RFC 3986 §2.3.
std::string percent_encode(std::string_view text);

class FormBuilder {
 public:
  FormBuilder& add(std::string_view name, std::string_view value);
  /// What was collected; the builder is empty afterwards.
  SecretBytes take() { return fields_.take(); }

 private:
  SecretBuilder fields_;
};

}  // namespace zkv::net
