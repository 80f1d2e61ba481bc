// HTTP over the unix socket, problem documents as errors.
#include "control_client.h"

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include "net/http_client.h"

namespace zkv::cli {

namespace json = boost::json;

namespace {

constexpr unsigned kConflict = 409;
constexpr unsigned kNotFound = 404;

/// A member that is a string; else empty.
std::string text_of(const json::value& document, std::string_view name) {
  const auto* object = document.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(json::string_view(name));
  return member != nullptr && member->is_string() ? json::value_to<std::string>(*member) : std::string();
}

Error error_of(long status, const json::value& document) {
  auto detail = text_of(document, "detail");
  if (detail.empty()) detail = "the gateway answered with status " + std::to_string(status);
  if (status == kConflict) return Error::conflict(std::move(detail));
  if (status == kNotFound) return Error::not_found(std::move(detail));
  return Error::unavailable(std::move(detail));
}

}  // namespace

Result<ControlClient> ControlClient::find(const Session& session) {
  const auto loaded = gateway::load_settings(session.input);
  return ControlClient(loaded.settings.control_socket.string());
}

Result<json::value> ControlClient::send(const std::string& method, const std::string& path,
                                        const std::string& body) const {
  net::HttpOptions options;
  options.unix_socket = socket_;
  net::HttpRequest request;
  request.method = method;
  request.url = "http://localhost" + path;
  request.body = SecretBytes::copy_of(body);
  auto response = net::HttpClient(options).send(request);
  if (!response) {
    return std::move(response)
        .error()
        .context("control socket " + socket_)
        .remedy("is 'zkvgateway serve' running, with this data-dir, and are you root or its user?");
  }
  json::error_code failure;
  const auto text = response->body.view();
  auto document = json::parse(json::string_view(text), failure);
  if (response->status < 200 || response->status > 299)
    return error_of(response->status, failure ? json::value() : document);
  if (failure) return Error::unavailable("the gateway's answer is not JSON");
  return document;
}

}  // namespace zkv::cli
