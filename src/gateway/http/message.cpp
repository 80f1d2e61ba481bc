// Writing the head of an answer, problem documents, and reading forms.
#include "gateway/http/message.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/beast/http/status.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.h"

namespace zkv::gateway::http {

namespace {

constexpr unsigned kNoContent = 204;
constexpr unsigned kNotModified = 304;

/// The character that "%HH" at the start of `text` stands for; nothing when it is not one.
std::optional<char> percent_decoded(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const auto byte = from_hex(text.substr(1, 2));
  if (!byte) return std::nullopt;
  return static_cast<char>(byte->front());
}

unsigned status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
    case ErrorKind::kUnsupported:
      return 400;
    case ErrorKind::kDenied:
      return 403;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kConflict:
    case ErrorKind::kExists:
      return 409;
    case ErrorKind::kUnavailable:
    case ErrorKind::kInterrupted:
      return 503;
    default:
      return 500;
  }
}

/// The problem that an error is which has no name of its own.
std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
    case ErrorKind::kUnsupported:
      return "malformed";
    case ErrorKind::kDenied:
      return "refused";
    case ErrorKind::kNotFound:
      return "not-found";
    case ErrorKind::kConflict:
      return "ended";
    case ErrorKind::kExists:
      return "exists";
    case ErrorKind::kUnavailable:
    case ErrorKind::kInterrupted:
      return "unavailable";
    default:
      return "internal";
  }
}

/// The same for what is refused before anybody looks at what it says.
std::string_view name_of(unsigned status) {
  switch (status) {
    case 404:
      return "not-found";
    case 405:
      return "method";
    case 408:
      return "slow";
    case 413:
    case 431:
      return "too-large";
    case 503:
      return "unavailable";
    default:
      return "malformed";
  }
}

std::string form_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  while (!text.empty()) {
    const auto character = percent_decoded(text);
    decoded += character ? *character : (text.front() == '+' ? ' ' : text.front());
    text.remove_prefix(character ? 3 : 1);
  }
  return decoded;
}

}  // namespace

std::string_view Incoming::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string_view Incoming::query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string_view Incoming::header(std::string_view name) const {
  const auto found = headers.find(boost::beast::string_view(name.data(), name.size()));
  if (found == headers.end()) return {};
  return {found->value().data(), found->value().size()};
}

std::string console_actor(const Incoming& incoming) { return "console:" + incoming.client_name; }

std::string_view reason_phrase(unsigned status) {
  const auto phrase = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
  return {phrase.data(), phrase.size()};
}

std::string serialize_head(const Reply& reply, bool keep_alive, std::optional<std::size_t> length) {
  auto head = fmt::format("HTTP/1.1 {} {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", reply.status,
                          reason_phrase(reply.status), fmt::gmtime(std::time(nullptr)));
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (!reply.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", reply.content_type);
  const bool has_content = reply.status != kNoContent && reply.status != kNotModified;
  if (length && has_content) head += fmt::format("Content-Length: {}\r\n", *length);
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

SecretBytes serialize_with_cookie(const Reply& reply, bool keep_alive) {
  const auto head = serialize_head(reply, keep_alive, reply.body.size());
  SecretBuilder out;
  out.append(std::string_view(head).substr(0, head.size() - 2));
  out.append("Set-Cookie: ");
  out.append(reply.cookie->span());
  out.append("\r\n\r\n");
  out.append(reply.body);
  return out.take();
}

Reply problem(unsigned status, std::string_view detail) { return problem(status, name_of(status), detail); }

Reply problem(const Error& error) { return problem(status_of(error.kind()), error); }

Reply problem(unsigned status, const Error& error) {
  const std::string stop = error.message().ends_with('.') ? " " : ". ";
  return problem(status, error.name().empty() ? name_of(error.kind()) : std::string_view(error.name()),
                 error.remedy().empty() ? error.message() : error.message() + stop + error.remedy());
}

Reply problem(unsigned status, std::string_view name, std::string_view detail) {
  const auto type = fmt::format("https://zfs-keyvault.invalid/problems/{}", name);
  const boost::json::object document{{"type", type},
                                     {"title", boost::json::string_view(reason_phrase(status))},
                                     {"status", status},
                                     {"detail", boost::json::string_view(detail)}};
  Reply reply;
  reply.status = status;
  reply.content_type = "application/problem+json";
  reply.body = boost::json::serialize(document);
  return reply;
}

Reply empty(unsigned status) {
  Reply reply;
  reply.status = status;
  if (status != kNoContent && status != kNotModified) reply.content_type = "text/plain; charset=utf-8";
  return reply;
}

Reply with_retry(Reply reply, unsigned seconds) {
  reply.headers.emplace_back("Retry-After", std::to_string(seconds));
  return reply;
}

Reply nobody_there() {
  Reply reply;
  reply.hang_up = true;
  return reply;
}

Reply json(unsigned status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.content_type = "application/json";
  reply.body = std::move(body);
  return reply;
}

FormFields parse_form(std::string_view text) {
  FormFields fields;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    if (!pair.empty()) {
      fields.emplace_back(form_decoded(pair.substr(0, equals)),
                          form_decoded(pair.substr(std::min(equals + 1, pair.size()))));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fields;
}

std::string_view find_field(const FormFields& fields, std::string_view name) {
  for (const auto& [field, value] : fields) {
    if (field == name) return value;
  }
  return {};
}

}  // namespace zkv::gateway::http
