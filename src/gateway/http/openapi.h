// The description of /v2/ in the words of OpenAPI 3.1, as it is served.
#pragma once

#include <string_view>

namespace zkv::gateway::http {

/// The text of openapi.json beside this file.
std::string_view openapi_document();

}  // namespace zkv::gateway::http
