// The calls that people make, over HTTP, before a real service: who gets in, and in which form.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>

#include "gateway/http/public_address.h"
#include "http_world.h"
#include "people_world.h"

namespace zkv::gateway::http {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto kLoopback = AddressBytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
constexpr auto kElsewhere = AddressBytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};

TEST(PublicAddress, IsAnOriginAsBrowsersWriteItAndAName) {
  const auto party = relying_party("https://Gateway.Example:443/", kElsewhere, 8443, true).value();
  EXPECT_EQ(party.origin, "https://gateway.example");
  EXPECT_EQ(party.id, "gateway.example");
  EXPECT_EQ(relying_party("https://gateway.example:8443", kElsewhere, 1, true)->origin,
            "https://gateway.example:8443");
}

TEST(PublicAddress, WithoutASettingIsLocalhostWhereTheGatewayListensThere) {
  EXPECT_EQ(relying_party("", kLoopback, 8443, true)->origin, "https://localhost:8443");
  EXPECT_EQ(relying_party("", kLoopback, 8080, false)->origin, "http://localhost:8080");
}

TEST(PublicAddress, ThatNoPasskeyCanBeBoundToIsRefusedWithWhatToSet) {
  for (const std::string url : {"https://192.0.2.1", "https://[::1]:8443", "http://gateway.example"}) {
    const auto party = relying_party(url, kElsewhere, 8443, true);
    ASSERT_FALSE(party) << url;
    EXPECT_EQ(party.error().name(), "public-url");
    EXPECT_THAT(party.error().remedy(), HasSubstr("public-url"));
  }
  EXPECT_FALSE(relying_party("", kElsewhere, 8443, true));
}

class PeopleRoutesTest : public testing_world::PeopleTest {
 protected:
  ~PeopleRoutesTest() override { server_.reset(); }

  /// A server at https://gateway.example, as behind a proxy.
  void serve(const std::string& public_url = "https://gateway.example") {
    std::signal(SIGPIPE, SIG_IGN);
    start();
    ServerOptions options;
    options.listen.host = kLoopback;
    options.threads = 1;
    options.v2 = V2Options{identity_, "gateway of the tests", public_url, page_, std::nullopt};
    auto started = Server::start(std::move(options), *service_);
    ASSERT_TRUE(started) << started.error().message();
    server_ = std::move(*started);
    const auto address = server_->address();
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  std::string send(const std::string& text) { return Client(port_).send(text).read_all(); }
  std::string call(const std::string& method, const std::string& path, const std::string& fields = {},
                   const std::string& body = {}) {
    return send(method + " " + path + " HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n" + fields +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  static std::string cookie(const SecretBytes& token) {
    return "Cookie: a=b; __Host-zkv-session=" + to_base64(token.span(), Base64::kUrlNoPadding) + "\r\n";
  }
  /// Anna's cookie, for an owner.
  std::string cookie_of_anna() {
    anna_ = join("Anna", Role::kOwner);
    return cookie(sign_in(anna_).value().token);
  }
  static boost::json::object json_of(const SignedChallenge& given) {
    return {{"id", id_text(given.assertion.id)},
            {"authenticatorData", id_text(given.assertion.authenticator_data)},
            {"clientDataJSON", id_text(given.assertion.client_data_json)},
            {"signature", id_text(given.assertion.signature)},
            {"userHandle", id_text(given.user_handle)}};
  }
  /// `body` with the confirmation of a person's passkey for this act.
  std::string confirmed(const testing_world::Person& person, passkey::Act act,
                        boost::json::object body = {}) {
    body["confirmation"] = json_of(confirmation(person, std::move(act)).answer);
    return boost::json::serialize(body);
  }
  static std::string status(const std::string& answer) { return answer.substr(9, 3); }

  static constexpr const char* kOrigin = "Origin: https://gateway.example\r\n";
  static constexpr const char* kJsonType = "Content-Type: application/json\r\n";
  std::filesystem::path page_;
  testing_world::Person anna_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(PeopleRoutesTest, WithoutASessionThereIsNothingToSee) {
  serve();
  for (const std::string path :
       {"/v2/session", "/v2/requests", "/v2/events", "/v2/hosts", "/v2/passkeys", "/v2/approvers"}) {
    const auto answer = call("GET", path);
    EXPECT_EQ(status(answer), "401") << path;
    EXPECT_THAT(answer, HasSubstr("problems/session")) << path;
    EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store")) << path;
  }
}

TEST_F(PeopleRoutesTest, ACookieIsASession) {
  serve();
  const auto answer = call("GET", "/v2/session", cookie_of_anna());
  EXPECT_EQ(status(answer), "200");
  EXPECT_THAT(answer, HasSubstr(R"("name":"Anna","role":"owner")"));
}

TEST_F(PeopleRoutesTest, SigningInSetsACookieThatOnlyThisHostGetsBack) {
  serve();
  anna_ = join("Anna");
  const auto challenge = call("POST", "/v2/session/challenge", kOrigin);
  const auto asked = boost::json::parse(challenge.substr(challenge.find("\r\n\r\n") + 4));
  const auto text = asked.at("challenge").as_string();
  passkey::Challenge bytes{};
  std::ranges::copy(from_base64(std::string_view(text), Base64::kUrlNoPadding).value(), bytes.begin());
  const auto given = answer(anna_, bytes);
  const auto signed_in = call("POST", "/v2/session", std::string(kOrigin) + kJsonType,
                              boost::json::serialize(boost::json::object{{"credential", json_of(given)}}));
  EXPECT_EQ(status(signed_in), "200") << signed_in;
  EXPECT_THAT(signed_in,
              testing::ContainsRegex("\r\nSet-Cookie: __Host-zkv-session=[A-Za-z0-9_-]{43}; Path=/; "
                                     "Max-Age=3600; HttpOnly; SameSite=Strict; Secure\r\n\r\n"));
}

TEST_F(PeopleRoutesTest, ACallFromAnotherPageOrFromNoneChangesNothing) {
  serve();
  const auto cookie = cookie_of_anna();
  for (const std::string origin :
       {"", "Origin: https://evil.example\r\n", "Origin: null\r\n", "Origin: http://gateway.example\r\n",
        "Origin: https://gateway.example.evil.example\r\n"}) {
    const auto answer = call("DELETE", "/v2/session", cookie + origin);
    EXPECT_EQ(status(answer), "403") << origin;
    EXPECT_THAT(answer, HasSubstr("problems/origin")) << origin;
  }
  EXPECT_EQ(status(call("GET", "/v2/session", cookie)), "200") << "she is signed in still";
  const auto ended = call("DELETE", "/v2/session", cookie + kOrigin);
  EXPECT_EQ(status(ended), "204");
  EXPECT_THAT(ended, HasSubstr("Set-Cookie: __Host-zkv-session=; Path=/; Max-Age=0"));
  EXPECT_EQ(status(call("GET", "/v2/session", cookie)), "401");
}

TEST_F(PeopleRoutesTest, ABodyThatAFormCouldSendIsNotTaken) {
  serve();
  const auto cookie = cookie_of_anna();
  for (const std::string type :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"}) {
    auto fields = cookie + kOrigin;
    fields += type;
    const auto answer = call("POST", "/v2/approvers/invites", fields, R"({"name":"Eve","role":"owner"})");
    EXPECT_EQ(status(answer), "415") << type;
  }
  EXPECT_EQ(status(call("POST", "/v2/approvers/invites", cookie + kOrigin + kJsonType,
                        confirmed(anna_, {"approver.invite", {"Bea", "approver"}},
                                  {{"name", "Bea"}, {"role", "approver"}}))),
            "201");
}

TEST_F(PeopleRoutesTest, WhatIsMisshapenIsSaidSo) {
  serve();
  const auto fields = cookie_of_anna() + kOrigin + kJsonType;
  for (const std::string body :
       {"{", "[]", R"({"name":7})", R"({"name":"Bea","role":"approver","name":"Eve"})",
        R"({"name":"Bea","role":"king"})"}) {
    const auto answer = call("POST", "/v2/approvers/invites", fields, body);
    EXPECT_EQ(status(answer), "400") << body;
    EXPECT_THAT(answer, HasSubstr("problems/malformed")) << body;
  }
}

TEST_F(PeopleRoutesTest, OnlyOwnersRevokeHostsAndInvite) {
  serve();
  const auto fields = cookie_of_anna() + kOrigin + kJsonType;
  const auto bea = join("Bea");
  const auto hers = cookie(sign_in(bea).value().token) + kOrigin + kJsonType;
  const std::string host(64, 'a');
  const std::string path = "/v2/hosts/" + host + "/revocation";
  EXPECT_EQ(status(call("POST", path, hers, confirmed(bea, {"host.revoke", {host}}))), "403");
  EXPECT_EQ(status(call("POST", path, fields, confirmed(anna_, {"host.revoke", {host}}))), "404");
  EXPECT_EQ(status(call(
                "POST", "/v2/approvers/invites", hers,
                confirmed(bea, {"approver.invite", {"Eve", "owner"}}, {{"name", "Eve"}, {"role", "owner"}}))),
            "403");
  EXPECT_EQ(status(call("GET", "/v2/approvers", hers)), "403");
  EXPECT_EQ(status(call("POST", "/v2/approvers/Anna/revocation", fields,
                        confirmed(anna_, {"approver.revoke", {"Anna"}}))),
            "404")
      << "a name is no id";
}

TEST_F(PeopleRoutesTest, ASessionAloneGivesAndTakesNoPower) {
  serve();
  const auto fields = cookie_of_anna() + kOrigin + kJsonType;
  const std::string id = id_text({anna_.id.begin(), anna_.id.end()});
  const std::string key = id_text(anna_.authenticator->id());
  const std::string host(64, 'a');
  const std::vector<std::string> powerful{
      "/v2/approvers/invites", "/v2/passkeys", "/v2/passkeys/" + key + "/removal",
      "/v2/approvers/" + id + "/revocation", "/v2/hosts/" + host + "/revocation"};
  for (const auto& path : powerful) {
    const auto answer = call("POST", path, fields,
                             R"({"name":"Eve","role":"owner","label":"x","credential":{"id":"AA",)"
                             R"("attestationObject":"AA","clientDataJSON":"AA"}})");
    EXPECT_EQ(status(answer), "400") << path;
    EXPECT_THAT(answer, HasSubstr("'confirmation' is missing")) << path;
  }
  for (const auto& path :
       std::vector<std::string>{"/v2/passkeys/" + key, "/v2/approvers/" + id, "/v2/hosts/" + host}) {
    const auto code = status(call("DELETE", path, fields));
    EXPECT_TRUE(code == "404" || code == "405") << path << ' ' << code;
  }
}

TEST_F(PeopleRoutesTest, WhoeverTriesTooOftenIsToldToWait) {
  serve();
  std::string answer;
  for (int i = 0; i < 40; ++i) answer = call("POST", "/v2/session/challenge", kOrigin);
  EXPECT_EQ(status(answer), "429");
  EXPECT_THAT(answer, HasSubstr("Retry-After: "));
  EXPECT_THAT(answer, HasSubstr("problems/rate"));
}

TEST_F(PeopleRoutesTest, WithoutAnAddressForPasskeysEveryCallSaysWhatToSet) {
  serve("https://192.0.2.1");
  for (const std::string path : {"/v2/session", "/v2/requests", "/v2/events"}) {
    const auto answer = call("GET", path);
    EXPECT_EQ(status(answer), "503") << path;
    EXPECT_THAT(answer, HasSubstr("problems/public-url")) << path;
    EXPECT_THAT(answer, HasSubstr("set public-url")) << path;
  }
}

TEST_F(PeopleRoutesTest, EventsComeWheneverARequestChangesAndEndWithTheSession) {
  serve();
  const auto cookie = cookie_of_anna();
  Client browser(port_);
  browser.send("GET /v2/events HTTP/1.1\r\nHost: gateway.example\r\n" + cookie + "\r\n");
  const auto head = browser.read_until("data: {}\n\n");
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  auto client = ask();
  const auto told = sms_->next();
  EXPECT_THAT(browser.read_until("data: {}\n\n"), HasSubstr("event: requests\n"));
  EXPECT_EQ(status(call("DELETE", "/v2/session", cookie + kOrigin)), "204");
  ASSERT_TRUE(deny(told.request));
  EXPECT_EQ(browser.read_all(), "") << "the stream ends without another word";
  await(std::move(client));
}

TEST_F(PeopleRoutesTest, ACardShowsARequestOfTheFirstProtocol) {
  serve();
  const auto cookie = cookie_of_anna();
  auto client = ask();
  const auto told = sms_->next();
  const auto answer = call("GET", "/v2/requests", cookie);
  EXPECT_THAT(answer, HasSubstr(R"("id":")" + told.request + '"'));
  EXPECT_THAT(answer, HasSubstr(R"("host":null,"volumes":[],"number":null,"evidence":null,"compared":null)"));
  ASSERT_TRUE(decide(anna_, told.request));
  await(std::move(client));
  EXPECT_THAT(call("GET", "/v2/requests?all=1", cookie), HasSubstr(R"("decided_by":"Anna")"));
}

class PageTest : public PeopleRoutesTest {
 protected:
  PageTest() {
    page_ = folder_ / "page";
    write("index.html", "<!doctype html>");
    write("assets/index-1a2b.js", "export {};");
    write("assets/index-1a2b.js.gz", "compressed");
  }
  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((page_ / name).parent_path());
    std::ofstream(page_ / name) << content;
  }
};

TEST_F(PageTest, IsServedUnderARuleThatForbidsWhatItDoesNotNeed) {
  serve();
  const auto answer = call("GET", "/");
  EXPECT_EQ(status(answer), "200");
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n<!doctype html>"));
  for (const std::string header :
       {"Content-Type: text/html; charset=utf-8",
        "Content-Security-Policy: default-src 'none'; script-src 'self'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer", "Cross-Origin-Opener-Policy: same-origin",
        "Cross-Origin-Resource-Policy: same-origin", "Strict-Transport-Security: max-age=31536000",
        "Permissions-Policy: ", "Cache-Control: no-cache"}) {
    EXPECT_THAT(answer, HasSubstr(header));
  }
  EXPECT_THAT(answer, Not(HasSubstr("unsafe")));
}

TEST_F(PageTest, WhatNeverChangesIsKeptAndComesCompressedToWhoeverTakesThat) {
  serve();
  const auto plain = call("GET", "/assets/index-1a2b.js");
  EXPECT_THAT(plain, HasSubstr("Content-Type: text/javascript; charset=utf-8"));
  EXPECT_THAT(plain, HasSubstr("Cache-Control: public, max-age=31536000, immutable"));
  EXPECT_THAT(plain, HasSubstr("\r\n\r\nexport {};"));
  const auto gzipped = call("GET", "/assets/index-1a2b.js", "Accept-Encoding: gzip, br\r\n");
  EXPECT_THAT(gzipped, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_THAT(gzipped, HasSubstr("\r\n\r\ncompressed"));
}

TEST_F(PageTest, WhoHasItAlreadyIsToldSo) {
  serve();
  const auto first = call("GET", "/");
  const auto at = first.find("ETag: ") + 6;
  const auto etag = first.substr(at, first.find("\r\n", at) - at);
  const auto again = call("GET", "/", "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(status(again), "304");
  EXPECT_TRUE(again.ends_with("\r\n\r\n"));
  EXPECT_EQ(status(call("GET", "/", "If-None-Match: \"other\"\r\n")), "200");
}

TEST_F(PageTest, NothingOutsideOfItIsServed) {
  serve();
  for (const std::string path : {"/../identity.key", "/assets/../../gateway.db", "/%2e%2e/gateway.db",
                                 "/assets/", "/index.html.gz", "//etc/passwd"}) {
    EXPECT_EQ(status(call("GET", path)), "404") << path;
  }
}

TEST_F(PageTest, ThatIsMissingIsSaidWithWhatToSet) {
  page_.clear();
  serve();
  const auto answer = call("GET", "/");
  EXPECT_EQ(status(answer), "404");
  EXPECT_THAT(answer, HasSubstr("page-dir"));
}

}  // namespace
}  // namespace zkv::gateway::http
