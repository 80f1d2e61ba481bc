// The built page, read once: its files as they are served.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace zkv::gateway::http {

struct PageFile {
  std::string path;  ///< "/assets/index-1a2b.js"; the page itself is "/"
  std::string content_type;
  std::string content;
  std::string etag;     ///< strong, with its quotation marks
  std::string gzipped;  ///< what the build made of it for whoever takes that; or empty
  bool stays = false;   ///< its name has the hash of its content: it never changes
};

/// All files under `folder`. Errors: kIo, kNotFound (no index.html), kInvalid (more than 64 files or 8 MiB).
Result<std::vector<PageFile>> read_page(const std::filesystem::path& folder);

}  // namespace zkv::gateway::http
