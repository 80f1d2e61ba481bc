// Reading the folder; what lies beside a file as NAME.gz is its compressed form.
#include "gateway/http/page_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/hash.h"

namespace zkv::gateway::http {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 64;
constexpr std::size_t kMostBytes = std::size_t{8} * 1024 * 1024;
constexpr std::string_view kGzip = ".gz";

std::string content_type_of(const fs::path& name) {
  static const std::map<std::string, std::string> types{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".json", "application/json"},
      {".txt", "text/plain; charset=utf-8"},
      {".webmanifest", "application/manifest+json"},
  };
  const auto found = types.find(name.extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

std::string etag_of(std::string_view content) {
  const auto hash = crypto::sha256(bytes_of(content));
  return '"' + to_base64(std::span(hash).first(16), Base64::kUrlNoPadding) + '"';
}

Result<std::map<std::string, std::string>> read_all(const fs::path& folder) {
  std::map<std::string, std::string> files;
  std::size_t total = 0;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (!entry->is_regular_file(failure)) continue;
    ZKV_TRY(auto content, read_file(entry->path(), kMostBytes));
    total += content.size();
    if (files.size() >= kMostFiles || total > kMostBytes) {
      return Error::invalid(fmt::format("{} holds more than a page", folder.string()))
          .remedy("set page-dir to the folder of the built page alone");
    }
    files.emplace('/' + entry->path().lexically_relative(folder).generic_string(),
                  std::string(content.begin(), content.end()));
  }
  if (failure) return Error::system("reading the page in " + folder.string(), failure.value());
  return files;
}

}  // namespace

Result<std::vector<PageFile>> read_page(const fs::path& folder) {
  ZKV_TRY(auto files, read_all(folder));
  if (!files.contains("/index.html")) {
    return Error::not_found(fmt::format("there is no page in {}: it has no index.html", folder.string()))
        .remedy("set page-dir to the folder that 'npm run build' in web/ made");
  }
  std::vector<PageFile> page;
  for (auto& [path, content] : files) {
    if (path.ends_with(kGzip)) continue;
    PageFile file;
    file.path = path == "/index.html" ? "/" : path;
    file.content_type = content_type_of(path);
    file.etag = etag_of(content);
    file.stays = path.starts_with("/assets/");
    if (const auto gzipped = files.find(path + std::string(kGzip)); gzipped != files.end()) {
      file.gzipped = gzipped->second;
    }
    file.content = content;
    page.push_back(std::move(file));
  }
  return page;
}

}  // namespace zkv::gateway::http
