// The table of answers in docs/protocol.md, row by row against what the host does.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <string>
#include <variant>

#include "gateway_answers.h"
#include "host/answer.h"

namespace zkv::host {
namespace {

/// What the page says becomes of an answer, in its own words.
std::string what_becomes_of(int status, const std::string& state) {
  const auto meaning = interpret(test::response(status, status == 200 ? "a key" : "", state), {});
  if (std::holds_alternative<KeyGiven>(meaning)) return "opens the repository";
  if (std::holds_alternative<TryAgain>(meaning)) return "waits, asks again";
  switch (std::get<Ended>(meaning).error.kind()) {
    case ErrorKind::kDenied:
      return "ends (exit 4)";
    case ErrorKind::kPending:
      return "ends (exit 5)";
    case ErrorKind::kUnavailable:
      return "ends (exit 6)";
    default:
      return "something that the page does not know";
  }
}

TEST(AnswerTable, IsWhatTheHostDoes) {
  std::ifstream page(ZKV_PROTOCOL_PAGE);
  const std::regex row(R"(\| (\d\d\d[^|]*) \| [^|]* \| ([^|]*) \|)");
  const std::regex code(R"(\b\d\d\d\b)");
  const std::regex named_state("ZKV-Request-State: ([a-z]+)");
  int codes = 0;
  for (std::string line; std::getline(page, line) && line != "## The approver answers by SMS";) {
    std::smatch cells;
    if (!std::regex_match(line, cells, row)) continue;
    const std::string answer = cells[1];
    std::smatch state;
    const bool has_state = std::regex_search(answer, state, named_state);
    for (std::sregex_iterator one(answer.begin(), answer.end(), code), end; one != end; ++one) {
      const auto becomes = what_becomes_of(std::stoi(one->str()), has_state ? state[1].str() : "");
      EXPECT_TRUE(cells[2].str().starts_with(becomes)) << line << "\nbut it " << becomes;
      ++codes;
    }
  }
  EXPECT_GE(codes, 13) << "the table is not where it was, or looks otherwise";
}

}  // namespace
}  // namespace zkv::host
