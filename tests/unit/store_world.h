// A store on a file in a folder of its own, and looks into it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gateway/store/store.h"

namespace zkv::gateway {

inline constexpr Time kStart{std::chrono::milliseconds(1'700'000'000'000)};

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "zkv-store-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "gateway.db";
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Store> open(StoreOptions options = {}) {
    auto store = Store::open(path_, options);
    EXPECT_TRUE(store) << store.error().message();
    return store ? std::move(*store) : nullptr;
  }

  /// Whoever edits the file behind the gateway's back.
  void by_hand(const std::string& statement) {
    soci::session sql(soci::sqlite3, "dbname=" + path_.string());
    sql << statement;
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

inline Request request_named(const std::string& id, Time created_at = kStart) {
  Request request;
  request.id = {id};
  request.address = "192.0.2.7";
  request.created_at = created_at;
  request.expires_at = created_at + std::chrono::seconds(60);
  return request;
}

inline audit::Event event_of(const std::string& kind) {
  return {kStart, kind, "A", "console:uid 0", "detail"};
}

inline std::vector<std::string> ids_of(const Result<std::vector<Request>>& requests) {
  std::vector<std::string> ids;
  for (const auto& request : requests.value()) ids.push_back(request.id.text);
  return ids;
}

inline std::vector<std::string> ids_of(const Result<RequestList>& list) {
  EXPECT_TRUE(list.value().damaged.empty());
  return ids_of(Result<std::vector<Request>>(list.value().requests));
}

inline std::vector<std::string> kinds_of(Store& store) {
  std::vector<std::string> kinds;
  const auto rows = store.audit_rows(1, 1'000'000);
  for (const auto& row : rows.value()) kinds.push_back(row.event.kind);
  return kinds;
}

inline bool chain_holds(Store& store) {
  crypto::Sha256 previous{};
  std::uint64_t number = 1;
  const auto rows = store.audit_rows(1, 1'000'000);
  for (const auto& row : rows.value()) {
    if (!audit::verify(row, number++, previous)) return false;
    previous = row.hash;
  }
  return true;
}

}  // namespace zkv::gateway
