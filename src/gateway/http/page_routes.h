// The page itself, and the rules under which a browser runs it.
#pragma once

#include <memory>
#include <vector>

#include "gateway/http/page_files.h"
#include "gateway/http/router.h"

namespace zkv::gateway::http {

/// Every file under its own path. With no files "/" says what is missing. `is_https`: whether browsers are
/// told to come by https only.
void add_page_routes(Router& router, std::vector<PageFile> files, bool is_https);

}  // namespace zkv::gateway::http
