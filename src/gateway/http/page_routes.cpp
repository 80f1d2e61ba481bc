// Files from memory, with the headers that keep strangers' content out.
#include "gateway/http/page_routes.h"

#include <algorithm>
#include <utility>

#include "gateway/settings/network.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

/// web/README.md: nothing inline, nothing from elsewhere, no string that becomes markup.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'";
constexpr const char* kPermissions =
    "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), display-capture=(), "
    "geolocation=(), microphone=(), payment=(), usb=()";
constexpr const char* kNoPage =
    "There is no page here: this gateway was started without one.\n"
    "Install the package, or set page-dir to the folder that 'npm run build' in web/ makes.\n"
    "Requests can be decided at the gateway itself: zkvgateway request list\n";

void add_rules(Reply& reply, bool is_https) {
  reply.headers.emplace_back("Content-Security-Policy", kPagePolicy);
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  reply.headers.emplace_back("Referrer-Policy", "no-referrer");
  reply.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  reply.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  reply.headers.emplace_back("Permissions-Policy", kPermissions);
  if (is_https) reply.headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
}

/// Whether a list in a header names `item`; "q=0" is not understood, and no browser says it.
bool names(std::string_view list, std::string_view item) { return list.find(item) != std::string_view::npos; }

Reply reply_with_file(const PageFile& file, const Incoming& incoming, bool is_https) {
  const bool is_gzipped = !file.gzipped.empty() && names(incoming.header("Accept-Encoding"), "gzip");
  auto etag = file.etag;
  if (is_gzipped) etag.insert(etag.size() - 1, "-gzip");
  Reply reply = empty(200);
  add_rules(reply, is_https);
  reply.headers.emplace_back("ETag", etag);
  reply.headers.emplace_back("Cache-Control",
                             file.stays ? "public, max-age=31536000, immutable" : "no-cache");
  if (!file.gzipped.empty()) reply.headers.emplace_back("Vary", "Accept-Encoding");
  const auto known = incoming.header("If-None-Match");
  if (known == "*" || names(known, etag)) {
    reply.status = 304;
    reply.content_type.clear();
    return reply;
  }
  reply.content_type = file.content_type;
  if (is_gzipped) reply.headers.emplace_back("Content-Encoding", "gzip");
  reply.body = is_gzipped ? file.gzipped : file.content;
  return reply;
}

}  // namespace

void add_page_routes(Router& router, std::vector<PageFile> files, bool is_https) {
  for (const char* method : {"GET", "HEAD"}) {
    if (!files.empty()) break;
    router.add(method, "/", [is_https](Incoming /*incoming*/) -> asio::awaitable<Reply> {
      Reply reply = empty(404);
      add_rules(reply, is_https);
      reply.body = kNoPage;
      co_return reply;
    });
  }
  for (auto& one : files) {
    const auto file = std::make_shared<const PageFile>(std::move(one));
    for (const char* method : {"GET", "HEAD"}) {
      router.add(method, file->path, [file, is_https](Incoming incoming) -> asio::awaitable<Reply> {
        co_return reply_with_file(*file, incoming, is_https);
      });
    }
  }
}

}  // namespace zkv::gateway::http
