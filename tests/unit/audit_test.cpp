// The chain of the audit log: whatever is changed in it afterwards is found, and where.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "base/encoding.h"
#include "gateway/audit/export.h"
#include "gateway/audit/row.h"
#include "gateway/audit/verifier.h"

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

/// A log whose every fourth row is a checkpoint.
class SignedLog : public testing::Test {
 protected:
  SignedLog() {
    for (std::uint64_t n = 1; n <= 13; ++n) {
      auto event = event_number(n);
      if (n % 4 == 0) event = checkpoint_event(key_);
      append(event);
    }
  }

  Event checkpoint_event(const crypto::SigningKey& key) const {
    return {Time(), std::string(kCheckpointKind), "", "gateway",
            seal({rows_.back().number, rows_.back().hash, Time()}, key)};
  }
  void append(const Event& event) {
    Row row{rows_.size() + 1, event, rows_.empty() ? crypto::Sha256{} : rows_.back().hash, {}};
    row.hash = hash_of(row);
    rows_.push_back(row);
  }
  /// Numbers and hashes all rows anew, as whoever can write the database does.
  void rewrite() {
    crypto::Sha256 previous{};
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      rows_[i].number = i + 1;
      rows_[i].previous = previous;
      rows_[i].hash = hash_of(rows_[i]);
      previous = rows_[i].hash;
    }
  }
  Result<> verify_all(Verifier& verifier) {
    for (const auto& row : rows_) ZKV_CHECK(verifier.take(row));
    return {};
  }
  bool holds() {
    Verifier verifier(key_.verifying_key());
    return verify_all(verifier).has_value();
  }

  crypto::SigningKey key_ = crypto::SigningKey::make();
  std::vector<Row> rows_;
};

TEST_F(SignedLog, VerifiesAndSaysHowFarTheKeyVouches) {
  Verifier verifier(key_.verifying_key());
  ASSERT_TRUE(verify_all(verifier));
  EXPECT_EQ(verifier.rows(), 13U);
  EXPECT_EQ(verifier.checkpoints(), 3U);
  EXPECT_EQ(verifier.vouched_for(), 11U);
}

TEST_F(SignedLog, ARewrittenEditBeforeACheckpointIsFound) {
  rows_[4].event.actor = "nobody";
  rewrite();
  EXPECT_FALSE(holds());
}

TEST_F(SignedLog, ARewrittenDeletionInsertionOrReorderIsFound) {
  const auto before = rows_;
  rows_.erase(rows_.begin() + 4);
  rewrite();
  EXPECT_FALSE(holds());
  rows_ = before;
  rows_.insert(rows_.begin() + 4, rows_[3]);
  rewrite();
  EXPECT_FALSE(holds());
  rows_ = before;
  std::swap(rows_[4].event, rows_[5].event);
  rewrite();
  EXPECT_FALSE(holds());
}

TEST_F(SignedLog, ACheckpointByAnotherKeyOrMovedElsewhereIsFound) {
  append(checkpoint_event(crypto::SigningKey::make()));
  EXPECT_FALSE(holds());
  rows_.pop_back();
  append(rows_[7].event);
  EXPECT_FALSE(holds());
}

TEST_F(SignedLog, WithoutTheKeyTheChainAloneIsChecked) {
  append(checkpoint_event(crypto::SigningKey::make()));
  Verifier verifier(std::nullopt);
  EXPECT_TRUE(verify_all(verifier));
  EXPECT_EQ(verifier.checkpoints(), 0U);
}

TEST_F(SignedLog, AnExportThatNoCheckpointEndsWasCutOffOrAddedTo) {
  Verifier whole(key_.verifying_key());
  EXPECT_TRUE(whole.check_ends_signed()) << "of an empty log";
  for (const auto& row : rows_) {
    ASSERT_TRUE(whole.take(row));
    EXPECT_EQ(whole.check_ends_signed().has_value(), row.event.kind == kCheckpointKind) << row.number;
  }
}

TEST_F(SignedLog, ALogThatWasCutOffIsFoundByACheckpointKeptElsewhere) {
  const Checkpoint kept{12, rows_[11].hash, Time()};
  Verifier whole(key_.verifying_key());
  whole.watch_for(kept.number);
  ASSERT_TRUE(verify_all(whole));
  EXPECT_TRUE(whole.check_holds(kept));

  rows_.resize(10);
  Verifier cut(key_.verifying_key());
  cut.watch_for(kept.number);
  ASSERT_TRUE(verify_all(cut));
  const auto holds = cut.check_holds(kept);
  ASSERT_FALSE(holds);
  EXPECT_EQ(holds.error().kind(), ErrorKind::kCorrupt);
}

TEST_F(SignedLog, ALogThatWasCutOffAndGrownAgainIsFound) {
  const Checkpoint kept{12, rows_[11].hash, Time()};
  rows_.resize(10);
  for (std::uint64_t n = 0; n < 5; ++n) append(event_number(n));
  Verifier grown(key_.verifying_key());
  grown.watch_for(kept.number);
  ASSERT_TRUE(verify_all(grown));
  EXPECT_FALSE(grown.check_holds(kept));
}

TEST_F(SignedLog, AnExportIsReadBackRowByRow) {
  EXPECT_EQ(read_export_head(export_head(key_.verifying_key())).value(), key_.verifying_key());
  Verifier verifier(key_.verifying_key());
  for (const auto& row : rows_) {
    const auto read = read_export_line(export_line(row));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_TRUE(verifier.take(*read));
  }
  EXPECT_EQ(verifier.rows(), rows_.size());
}

TEST_F(SignedLog, ALineOfAnExportThatIsNoneIsRefused) {
  for (const char* line : {"", "{", "[]", "{}", "{\"number\": -1}", "null"}) {
    EXPECT_FALSE(read_export_line(line)) << line;
    EXPECT_FALSE(read_export_head(line)) << line;
  }
}

}  // namespace
}  // namespace zkv::gateway::audit
