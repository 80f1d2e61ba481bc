// When the gateway signs how far its audit log has come: after so many rows, after so long, and at its end.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "gateway/audit/checkpoint.h"
#include "gateway/service/checkpoints.h"

namespace zkv::gateway {
namespace {

using std::chrono::minutes;

class CheckpointsTest : public testing::Test {
 protected:
  CheckpointsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "zkv-checkpoints-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    options_.identity =
        std::make_shared<const Identity>(Identity::load_or_make(folder_ / "identity.key").value());
    options_.checkpoint_file = folder_ / "audit.checkpoint";
    store_ = Store::open(folder_ / "gateway.db").value();
    desk_.emplace(*store_, options_.policy);
    checkpoints_.emplace(*desk_, options_, kStart);
  }
  ~CheckpointsTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void append(std::uint64_t rows) {
    ASSERT_TRUE(store_->transaction([&]() -> Result<> {
      for (std::uint64_t i = 0; i < rows; ++i) ZKV_CHECK(desk_->note("request.ask", "A", "", ""));
      return {};
    }));
  }
  /// How many rows there are once it was looked, at `when`, whether a checkpoint is due.
  std::uint64_t rows_after_a_look(Time when, bool is_end = false) {
    const auto written = store_->transaction([&] { return checkpoints_->write(when, is_end); });
    EXPECT_TRUE(written);
    checkpoints_->keep(when, written.has_value());
    return store_->audit_head().value()->number;
  }
  std::uint64_t kept() {
    return audit::load_checkpoint(options_.checkpoint_file, options_.identity->signing().verifying_key())
        .value()
        .value()
        .number;
  }

  static constexpr Time kStart{std::chrono::milliseconds(1'700'000'000'000)};
  std::filesystem::path folder_;
  ServiceOptions options_;
  std::unique_ptr<Store> store_;
  std::optional<Desk> desk_;
  std::optional<Checkpoints> checkpoints_;
};

TEST_F(CheckpointsTest, AreWrittenAtTheNextLookAfterSoManyRows) {
  append(Checkpoints::kRows - 1);
  EXPECT_EQ(rows_after_a_look(kStart + minutes(1)), Checkpoints::kRows - 1);
  append(1);
  EXPECT_EQ(rows_after_a_look(kStart + minutes(1)), Checkpoints::kRows) << "it is not looked so soon again";
  EXPECT_EQ(rows_after_a_look(kStart + minutes(2)), Checkpoints::kRows + 1);
  EXPECT_EQ(kept(), Checkpoints::kRows) << "the newest one lies beside the database";
}

TEST_F(CheckpointsTest, AreWrittenAfterSoLongForOneRow) {
  append(1);
  EXPECT_EQ(rows_after_a_look(kStart + Checkpoints::kTime - minutes(1)), 1U);
  EXPECT_EQ(rows_after_a_look(kStart + Checkpoints::kTime), 2U);
  EXPECT_EQ(kept(), 1U);
}

TEST_F(CheckpointsTest, AreNotWrittenWhereNothingHappenedSinceTheLastOne) {
  append(1);
  EXPECT_EQ(rows_after_a_look(kStart + Checkpoints::kTime), 2U);
  EXPECT_EQ(rows_after_a_look(kStart + 3 * Checkpoints::kTime), 2U);
  EXPECT_EQ(rows_after_a_look(kStart + 4 * Checkpoints::kTime, true), 2U);
}

TEST_F(CheckpointsTest, AreWrittenAtTheEndWhateverTheTime) {
  append(1);
  EXPECT_EQ(rows_after_a_look(kStart, true), 2U);
  EXPECT_EQ(kept(), 1U);
}

TEST_F(CheckpointsTest, ThatWereNotCommittedAreNotKept) {
  append(1);
  const auto undone = store_->transaction([&]() -> Result<> {
    ZKV_CHECK(checkpoints_->write(kStart, true));
    return Error::unavailable("not now");
  });
  EXPECT_FALSE(undone);
  checkpoints_->keep(kStart, false);
  EXPECT_FALSE(std::filesystem::exists(options_.checkpoint_file));
  EXPECT_EQ(rows_after_a_look(kStart, true), 2U);
}

}  // namespace
}  // namespace zkv::gateway
