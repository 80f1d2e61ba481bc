// The chain of the audit log: whatever is changed in it afterwards is found, and where.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "base/encoding.h"
#include "gateway/audit/row.h"

namespace zkv::gateway::audit {
namespace {

using std::chrono::milliseconds;

Event event_number(std::uint64_t n) {
  return {Time(milliseconds(1'700'000'000'000 + static_cast<std::int64_t>(n))), "request.approve",
          "REQ" + std::to_string(n), "console:uid 0", "detail"};
}

std::vector<Row> chain_of(std::uint64_t length) {
  std::vector<Row> rows;
  crypto::Sha256 previous{};
  for (std::uint64_t n = 1; n <= length; ++n) {
    Row row{n, event_number(n), previous, {}};
    row.hash = hash_of(row);
    previous = row.hash;
    rows.push_back(row);
  }
  return rows;
}

/// The number of the first row that does not verify, or 0 when all do.
std::uint64_t first_broken(const std::vector<Row>& rows) {
  crypto::Sha256 previous{};
  std::uint64_t expected = 1;
  for (const auto& row : rows) {
    if (auto sound = verify(row, expected, previous); !sound) {
      EXPECT_EQ(sound.error().kind(), ErrorKind::kCorrupt);
      EXPECT_NE(sound.error().message().find("row " + std::to_string(expected)), std::string::npos)
          << sound.error().message();
      return expected;
    }
    previous = row.hash;
    ++expected;
  }
  return 0;
}

std::uint64_t first_broken_after(const std::function<void(std::vector<Row>&)>& attack) {
  auto rows = chain_of(9);
  attack(rows);
  return first_broken(rows);
}

TEST(Audit, AnUntouchedLogVerifies) { EXPECT_EQ(first_broken(chain_of(9)), 0U); }

TEST(Audit, AnEditOfAnyFieldIsFoundAtItsRow) {
  EXPECT_EQ(first_broken_after([](auto& rows) { rows[4].event.at += milliseconds(1); }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) { rows[4].event.kind = "request.deny"; }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) { rows[4].event.request = "REQ6"; }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) { rows[4].event.actor = "console:uid 1"; }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) { rows[4].event.detail.clear(); }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) { rows[4].previous[0] ^= 1; }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) { rows[4].hash[31] ^= 1; }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) { rows[4].number = 50; }), 5U);
}

TEST(Audit, AnEditWithItsHashMadeAnewIsFoundAtTheNextRow) {
  EXPECT_EQ(first_broken_after([](auto& rows) {
              rows[4].event.actor = "nobody";
              rows[4].hash = hash_of(rows[4]);
            }),
            6U);
}

TEST(Audit, ADeletedRowIsFound) {
  EXPECT_EQ(first_broken_after([](auto& rows) { rows.erase(rows.begin()); }), 1U);
  EXPECT_EQ(first_broken_after([](auto& rows) { rows.erase(rows.begin() + 4); }), 5U);
}

TEST(Audit, ADeletedRowIsFoundEvenWhenTheRestIsNumberedAnew) {
  EXPECT_EQ(first_broken_after([](auto& rows) {
              rows.erase(rows.begin() + 4);
              for (std::size_t i = 4; i < rows.size(); ++i) {
                rows[i].number = i + 1;
                rows[i].hash = hash_of(rows[i]);
              }
            }),
            5U);
}

TEST(Audit, AnInsertedRowIsFound) {
  EXPECT_EQ(first_broken_after([](auto& rows) { rows.insert(rows.begin() + 4, rows[3]); }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) {
              Row forged{5, event_number(99), rows[3].hash, {}};
              forged.hash = hash_of(forged);
              rows.insert(rows.begin() + 4, forged);
            }),
            6U);
}

TEST(Audit, ReorderedRowsAreFound) {
  EXPECT_EQ(first_broken_after([](auto& rows) { std::swap(rows[4], rows[6]); }), 5U);
  EXPECT_EQ(first_broken_after([](auto& rows) { std::swap(rows[4].event, rows[6].event); }), 5U);
}

TEST(Audit, TextMovedFromOneFieldToTheNextChangesTheHash) {
  Row left{1, {Time{}, "ab", "c", "", ""}, {}, {}};
  Row right{1, {Time{}, "a", "bc", "", ""}, {}, {}};
  EXPECT_NE(hash_of(left), hash_of(right));
}

TEST(Audit, TheCanonicalBytesStayWhatTheyWere) {
  // Worked out by another program: domain, number, previous, time, four fields.
  Row row{1, {Time(milliseconds(1'700'000'000'000)), "request.ask", "0123456789", "192.0.2.7", ""}, {}, {}};
  EXPECT_EQ(to_hex(hash_of(row)), "0762b723d9f619ac1a4463bae590f682a46ce8b083866f06ffc079cf35635196");
}

}  // namespace
}  // namespace zkv::gateway::audit
