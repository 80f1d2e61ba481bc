// The shelf is filled when the repository is open; the waiting is a look at sysfs now and then.
#include "unlock/hand_over.h"

#include <algorithm>

#include "base/plain_text.h"
#include "unlock/crypt_kind.h"
#include "unlock/crypt_options.h"
#include "unlock/mappings.h"
#include "unlock/mount_unit.h"
#include "unlock/secret.h"

namespace zkv::unlock {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenLooksAtMappings{200};

const CrypttabLine* line_of(const HandOver& hand_over, const std::string& name) {
  const auto found = std::find_if(hand_over.lines.begin(), hand_over.lines.end(),
                                  [&](const CrypttabLine& line) { return line.name == name; });
  return found == hand_over.lines.end() ? nullptr : &*found;
}

void put_volume(const repository::VolumeKeys::Volume& volume, const CryptKind& kind, KeyShelf& shelf) {
  const auto wishes = parse_crypt_options(kind, volume.settings.options);
  if (!wishes) return;
  const auto key = key_part(volume.key, *wishes);
  if (key) shelf.put(ShelfKind::kVolume, volume.name, *key);
}

/// Who asks for the key and gets none asks a person next.
void withhold(const std::string& volume, const Error& why, const HandOver& hand_over) {
  const bool is_trap = why.kind() == ErrorKind::kDenied;
  const auto words = why.message() + (is_trap ? "; do not type its passphrase" : "");
  hand_over.shelf->withhold(volume, words);
  const bool is_news = why.kind() != ErrorKind::kExists;
  if (is_news && hand_over.say) {
    hand_over.say("warning: systemd gets no key of " + plain_text(volume) + ": " + words);
  }
}

/// Nothing where it has no line.
void lay_out(const repository::VolumeKeys::Volume& volume, const HandOver& hand_over) {
  const auto* kind = crypt_kind_of(volume.kind);
  if (kind == nullptr || line_of(hand_over, volume.name) == nullptr) return;
  const auto may = hand_over.may_have_key ? hand_over.may_have_key(volume) : Result<>();
  if (may) {
    put_volume(volume, *kind, *hand_over.shelf);
  } else {
    withhold(volume.name, may.error(), hand_over);
  }
}

class HandingUnlocker final : public Unlocker {
 public:
  HandingUnlocker(std::unique_ptr<Unlocker> inner, HandOver hand_over, CryptOptions options)
      : inner_(std::move(inner)), hand_over_(std::move(hand_over)), options_(std::move(options)) {}

  [[nodiscard]] repository::VolumeKind kind() const override { return inner_->kind(); }
  [[nodiscard]] std::string_view name() const override { return inner_->name(); }
  [[nodiscard]] std::string_view family() const override { return inner_->family(); }
  [[nodiscard]] Result<> check(const VolumeRef& volume) const override { return inner_->check(volume); }
  [[nodiscard]] Result<std::vector<VolumeState>> inspect(const std::vector<VolumeRef>& volumes) override {
    return inner_->inspect(volumes);
  }
  [[nodiscard]] Result<std::vector<VolumeState>> discover() override { return inner_->discover(); }
  [[nodiscard]] Result<std::vector<Survey>> survey(const std::vector<VolumeRef>& volumes) override {
    return inner_->survey(volumes);
  }
  [[nodiscard]] std::vector<Fingerprint> fingerprints(const std::vector<VolumeRef>& volumes) override {
    return inner_->fingerprints(volumes);
  }
  [[nodiscard]] std::vector<DerivedFor> take_derived() override { return inner_->take_derived(); }
  [[nodiscard]] std::size_t new_key_size() const override { return inner_->new_key_size(); }
  [[nodiscard]] Result<> create(const NewVolume& volume) override { return inner_->create(volume); }
  [[nodiscard]] Result<> check_change(const VolumeRef& volume) const override {
    return inner_->check_change(volume);
  }
  [[nodiscard]] Result<> give_key(const Volume& volume, std::span<const std::uint8_t> key) override {
    return inner_->give_key(volume, key);
  }
  [[nodiscard]] Result<> take_key(const Volume& volume, std::span<const std::uint8_t> key) override {
    return inner_->take_key(volume, key);
  }
  [[nodiscard]] std::vector<Outcome> close(const std::vector<VolumeRef>& volumes,
                                           const std::stop_token& stop) override {
    return inner_->close(volumes, stop);
  }
  [[nodiscard]] Result<std::vector<MountOutcome>> mount_unheld(const std::vector<VolumeRef>& volumes,
                                                               const std::vector<std::string>& held,
                                                               const std::stop_token& stop) override {
    return inner_->mount_unheld(volumes, held, stop);
  }
  [[nodiscard]] std::vector<MountOutcome> contradictions(const std::vector<VolumeRef>& volumes) override {
    return inner_->contradictions(volumes);
  }
  [[nodiscard]] Result<std::vector<MountOutcome>> unmount(const std::vector<VolumeRef>& volumes,
                                                          const std::stop_token& stop) override {
    return inner_->unmount(volumes, stop);
  }

  [[nodiscard]] std::vector<Outcome> open(std::span<const Volume> volumes, Attempt attempt,
                                          const std::stop_token& stop) override {
    if (attempt == Attempt::kTrial) return inner_->open(volumes, attempt, stop);
    std::vector<Outcome> outcomes(volumes.size());
    std::vector<std::size_t> ours;
    std::vector<std::size_t> systemds;
    for (std::size_t i = 0; i < volumes.size(); ++i) {
      if (is_for_later(volumes[i])) {
        outcomes[i] = {volumes[i].name, Happened::kServed, {}, {}, {}};
      } else {
        (is_for_systemd(volumes[i]) ? systemds : ours).push_back(i);
      }
    }
    open_here(volumes, ours, outcomes, stop);
    for (const auto place : systemds) restart_unit_of(volumes[place].name, {"failed"});
    await_systemd(volumes, systemds, stop);
    open_here(volumes, systemds, outcomes, stop);
    take_off_shelf(outcomes);
    return outcomes;
  }

 private:
  [[nodiscard]] bool is_mapped(const std::string& name) const {
    std::error_code failed;
    return Mappings::read(options_.blocks).find(name) != nullptr &&
           std::filesystem::exists(options_.devices / "mapper" / name, failed);
  }
  [[nodiscard]] bool is_for_systemd(const Volume& volume) const {
    return hand_over_.shelf->holds(ShelfKind::kVolume, volume.name) && !is_mapped(volume.name);
  }
  /// Nobody opens it at boot.
  [[nodiscard]] bool is_for_later(const Volume& volume) const {
    const auto* line = line_of(hand_over_, volume.name);
    return line != nullptr && has_option(*line, "noauto") && is_for_systemd(volume);
  }

  /// All but what is served for longer; and tells who has opened it.
  void take_off_shelf(std::vector<Outcome>& outcomes) const {
    const auto handed = hand_over_.shelf->volumes_handed_out();
    for (auto& outcome : outcomes) {
      if (outcome.happened == Happened::kServed) continue;
      hand_over_.shelf->drop(ShelfKind::kVolume, outcome.volume);
      const bool was_fetched = std::find(handed.begin(), handed.end(), outcome.volume) != handed.end();
      if (!was_fetched) tell_systemd(outcome);
      if (outcome.happened != Happened::kAlreadyOpen || !was_fetched) continue;
      outcome.happened = Happened::kOpened;
      outcome.detail = "by systemd-cryptsetup";
    }
  }

  /// Of a volume that was opened without it.
  void tell_systemd(const Outcome& outcome) const {
    const auto* line = line_of(hand_over_, outcome.volume);
    if (line == nullptr || has_option(*line, "noauto") || !is_success(outcome.happened)) return;
    restart_unit_of(outcome.volume, {"failed", "inactive", "activating"});
  }

  void restart_unit_of(const std::string& volume, const std::vector<std::string>& states) const {
    if (!hand_over_.restart_if) return;
    hand_over_.restart_if("systemd-cryptsetup@" + unit_name_of("/" + volume) + ".service", states);
  }

  /// What is open already is checked, and left as it is.
  void open_here(std::span<const Volume> volumes, const std::vector<std::size_t>& places,
                 std::vector<Outcome>& outcomes, const std::stop_token& stop) {
    if (places.empty()) return;
    std::vector<Volume> wanted;
    wanted.reserve(places.size());
    for (const auto place : places) wanted.push_back(volumes[place]);
    auto opened = inner_->open(wanted, Attempt::kOpen, stop);
    for (std::size_t i = 0; i < places.size(); ++i) outcomes[places[i]] = std::move(opened[i]);
  }

  /// Until all of them are mapped, or no more of them are to be hoped for.
  void await_systemd(std::span<const Volume> volumes, std::vector<std::size_t> places,
                     const std::stop_token& stop) const {
    const auto begun = Steady::now();
    while (!stop.stop_requested()) {
      const auto seen = hand_over_.shelf->changes();
      std::erase_if(places, [&](std::size_t place) { return is_mapped(volumes[place].name); });
      const auto handed = hand_over_.shelf->volumes_handed_out();
      const auto waited = Steady::now() - begun;
      const bool is_hopeless = std::all_of(places.begin(), places.end(), [&](std::size_t place) {
        const bool was_fetched = std::find(handed.begin(), handed.end(), volumes[place].name) != handed.end();
        return waited >= (was_fetched ? hand_over_.open_limit : hand_over_.ask_limit);
      });
      if (is_hopeless) return;
      hand_over_.shelf->await_change(seen, kBetweenLooksAtMappings, stop);
    }
  }

  std::unique_ptr<Unlocker> inner_;
  HandOver hand_over_;
  CryptOptions options_;
};

}  // namespace

void stock_shelf(const repository::VolumeKeys& keys, const HandOver& hand_over) {
  for (const auto& volume : keys.volumes()) {
    if (volume.kind == repository::VolumeKind::kSecret) {
      auto units = served_units({volume.name, volume.settings});
      if (units) hand_over.shelf->put(ShelfKind::kSecret, volume.name, volume.key, std::move(*units));
    } else {
      lay_out(volume, hand_over);
    }
  }
}

std::unique_ptr<Unlocker> make_handing_unlocker(std::unique_ptr<Unlocker> inner, HandOver hand_over,
                                                CryptOptions options) {
  return std::make_unique<HandingUnlocker>(std::move(inner), std::move(hand_over), std::move(options));
}

}  // namespace zkv::unlock
