// What comes in and what goes out over HTTP, as plain data; and the answers that every route may give.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/fields.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/channel/twilio_signature.h"
#include "gateway/settings/network.h"

namespace zkv::gateway::http {

/// One request, read in full. Its memory goes when the handler lets it go.
struct Incoming {
  std::string method;
  std::string target;  ///< path and query as they were sent
  boost::beast::http::fields headers;
  std::string body;
  bool keep_alive = false;
  AddressBytes client{};    ///< who asks, seen through trusted proxies
  std::string client_name;  ///< the same as text; on the control socket "uid N"
  bool secure = false;      ///< whether the client spoke https
  std::string parameter;    ///< what stood for the star of the route's pattern
  /// Completes when the client has ended the connection; for handlers that wait long.
  std::function<boost::asio::awaitable<void>()> client_gone;

  [[nodiscard]] std::string_view path() const;
  [[nodiscard]] std::string_view query() const;
  /// The first header of that name, or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// Who speaks over the control socket, as the audit log has it: "console:uid N".
std::string console_actor(const Incoming& incoming);

struct Reply {
  unsigned status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::shared_ptr<const SecretBytes>
      secret;  ///< in place of `body`: written as it is, never copied to a string
  std::shared_ptr<const SecretBytes> cookie;  ///< what Set-Cookie says; never copied to a string either
  /// In place of `body`: an answer of unknown length, of which each call gives the next part; nothing ends
  /// it, and with it the connection. It watches by itself whether the client is still there.
  std::function<boost::asio::awaitable<std::optional<std::string>>()> next_part;
  std::function<void(bool in_full)> written;  ///< told how the writing went
  bool hang_up = false;                       ///< nobody is there to answer: close without a word
};

/// The status line and header fields but the cookie, up to and with the empty line. `length` is that of the
/// body, if it is known.
std::string serialize_head(const Reply& reply, bool keep_alive, std::optional<std::size_t> length);
/// The same with the cookie, and with the body.
SecretBytes serialize_with_cookie(const Reply& reply, bool keep_alive);
std::string_view reason_phrase(unsigned status);

/// An RFC 9457 problem document, of the type that the status says.
Reply problem(unsigned status, std::string_view detail);
/// One of those that docs/protocol-v2.md names, which programs can tell apart.
Reply problem(unsigned status, std::string_view name, std::string_view detail);
/// That of an error: 400, 403, 404, 409, 503 or 500 by its kind; its name, or else its kind's, is the type,
/// its message and its remedy are the detail.
Reply problem(const Error& error);
/// The same with another status.
Reply problem(unsigned status, const Error& error);
/// An empty body, as the seed answers everything but a key.
Reply empty(unsigned status);
Reply json(unsigned status, std::string body);
/// An empty body, and the client is to come back after so many seconds.
Reply with_retry(Reply reply, unsigned seconds);
/// The reply of a handler whose client has gone.
Reply nobody_there();

/// Decodes application/x-www-form-urlencoded; a wrong percent sign stands for itself.
FormFields parse_form(std::string_view text);
std::string_view find_field(const FormFields& fields, std::string_view name);

}  // namespace zkv::gateway::http
