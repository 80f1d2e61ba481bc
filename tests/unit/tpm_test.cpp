// What can be known of a TPM without one: the areas that say what is made in it, blobs, and what codes mean.
// The rest is in tests/integration/tpm.py, at an emulated one.
#include "tpm/tpm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tss2/tss2_tpm2_types.h>

#include <algorithm>

#include "tpm/blob.h"
#include "tpm/templates.h"

namespace zkv::tpm {
namespace {

using testing::HasSubstr;

const TssLibrary& tss() { return *tss_library().value(); }

TPM2B_ECC_PARAMETER coordinate(std::uint8_t byte, UINT16 size) {
  TPM2B_ECC_PARAMETER made{};
  made.size = size;
  std::fill_n(made.buffer, size, byte);
  return made;
}

TPM2B_PUBLIC key_with_point(std::uint8_t x, UINT16 x_size, std::uint8_t y, UINT16 y_size) {
  auto area = signing_key();
  area.publicArea.unique.ecc.x = coordinate(x, x_size);
  area.publicArea.unique.ecc.y = coordinate(y, y_size);
  return area;
}

Blob blob_of(const TPM2B_PUBLIC& area) {
  TPM2B_PRIVATE private_area{};
  private_area.size = 3;
  std::fill_n(private_area.buffer, 3, std::uint8_t{7});
  return to_blob(tss(), area, private_area).value();
}

std::string bytes_of(const TPM2B_PUBLIC& area) { return to_hex(blob_of(area).public_area); }

/// The ECC storage root key that the TCG's provisioning guidance asks for (its attributes are 0x00030472), as
/// TPM 2.0 Library, Part 2, 12.2.4 has it written: so other programs get the same key from the same TPM.
TEST(TpmAreas, OfTheStorageKeyIsThatOfTheGuidance) {
  const std::string coordinate = "0020" + std::string(64, '0');
  EXPECT_EQ(bytes_of(storage_root()),
            "005a"
            "0023000b000304720000"
            "000600800043001000030010" +
                coordinate + coordinate);
}

TEST(TpmAreas, OfTheSigningKeyLetItStayAndSignAndNothingElse) {
  EXPECT_EQ(bytes_of(signing_key()),
            "0018"
            "0023000b000404720000"
            "00100018000b00030010"
            "00000000");
}

TEST(TpmAreas, OfSealedBytesLetThemStayAndAreNoKey) {
  EXPECT_EQ(bytes_of(sealed_bytes()),
            "000e"
            "0008000b000004520000"
            "0010"
            "0000");
}

TEST(TpmBlob, IsReadAsItWasWritten) {
  const auto area = key_with_point(1, 32, 2, 32);
  const Blob blob = blob_of(area);
  EXPECT_EQ(to_hex(blob.private_area), "0003070707");
  const auto read = public_of(tss(), blob).value();
  EXPECT_EQ(blob_of(read).public_area, blob.public_area);
  EXPECT_EQ(private_of(tss(), blob)->size, 3U);
}

TEST(TpmBlob, ThatIsCutOrHasMoreBehindItIsDamaged) {
  const Blob whole = blob_of(key_with_point(1, 32, 2, 32));
  for (std::size_t size = 0; size < whole.public_area.size(); ++size) {
    Blob cut = whole;
    cut.public_area.resize(size);
    EXPECT_EQ(public_of(tss(), cut).error().kind(), ErrorKind::kCorrupt) << size;
  }
  for (std::size_t size = 0; size < whole.private_area.size(); ++size) {
    Blob cut = whole;
    cut.private_area.resize(size);
    EXPECT_EQ(private_of(tss(), cut).error().kind(), ErrorKind::kCorrupt) << size;
  }
  Blob longer = whole;
  longer.public_area.push_back(0);
  longer.private_area.push_back(0);
  EXPECT_EQ(public_of(tss(), longer).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(private_of(tss(), longer).error().kind(), ErrorKind::kCorrupt);
}

TEST(TpmPoint, HasItsZerosInFront) {
  const Point point = point_of(blob_of(key_with_point(0xaa, 32, 0xbb, 30))).value();
  EXPECT_EQ(std::ranges::count(point.x, 0xaa), 32);
  EXPECT_EQ(to_hex(std::span(point.y).first(3)), "0000bb");
  EXPECT_EQ(std::ranges::count(point.y, 0xbb), 30);
}

TEST(TpmPoint, IsOfAKeyOfP256Alone) {
  auto other = key_with_point(1, 48, 2, 48);
  other.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P384;
  EXPECT_EQ(point_of(blob_of(other)).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(point_of(blob_of(key_with_point(1, 33, 2, 32))).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(point_of(blob_of(key_with_point(1, 32, 2, 33))).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(point_of(blob_of(sealed_bytes())).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(point_of(Blob()).error().kind(), ErrorKind::kCorrupt);
}

TEST(TpmCodes, SayWhatAPersonCanDo) {
  const auto kind = [](TSS2_RC code) { return error_of(code, "signing").kind(); };
  EXPECT_EQ(kind(TPM2_RC_LOCKOUT), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(TPM2_RC_BAD_AUTH), ErrorKind::kDenied);
  EXPECT_EQ(kind(TPM2_RC_HIERARCHY), ErrorKind::kDenied);
  EXPECT_EQ(kind(TPM2_RC_OBJECT_MEMORY), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(TSS2_TCTI_RC_IO_ERROR), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(TSS2_ESYS_RC_RSP_AUTH_FAILED), ErrorKind::kDenied);
  EXPECT_EQ(kind(TPM2_RC_FAILURE), ErrorKind::kIo);
  EXPECT_THAT(error_of(TPM2_RC_FAILURE, "signing").message(), HasSubstr("the TPM failed at signing"));
}

TEST(TpmCodes, AreKnownWhicheverParameterTheyAreAboutAndWhoeverPassedThemOn) {
  for (const TSS2_RC about : {0U, TPM2_RC_P + TPM2_RC_1, TPM2_RC_P + TPM2_RC_2, TPM2_RC_S + TPM2_RC_1}) {
    for (const TSS2_RC layer : {TSS2_TPM_RC_LAYER, TSS2_RESMGR_TPM_RC_LAYER, TSS2_RESMGR_RC_LAYER}) {
      EXPECT_EQ(error_of(layer + TPM2_RC_INTEGRITY + about, "loading").kind(), ErrorKind::kWrongKey);
    }
  }
  EXPECT_EQ(error_of(TSS2_ESAPI_RC_LAYER + TPM2_RC_INTEGRITY, "loading").kind(), ErrorKind::kIo)
      << "that layer has codes of its own";
}

TEST(TpmCodes, OfAPassingStateAreTriedAgain) {
  for (const TSS2_RC code : {TPM2_RC_RETRY, TPM2_RC_YIELDED, TPM2_RC_TESTING, TPM2_RC_NV_RATE}) {
    EXPECT_TRUE(is_passing(code));
    EXPECT_EQ(error_of(code, "signing").kind(), ErrorKind::kUnavailable);
  }
  EXPECT_TRUE(is_passing(TSS2_ESYS_RC_TRY_AGAIN));
  for (const TSS2_RC code : {TPM2_RC_LOCKOUT, TPM2_RC_INTEGRITY, TPM2_RC_BAD_AUTH, TSS2_RC_SUCCESS}) {
    EXPECT_FALSE(is_passing(code));
  }
}

}  // namespace
}  // namespace zkv::tpm
