// Source: the kernel's Documentation/ABI/testing/sysfs-block-dm, and "loop/backing_file" of its loop driver.
#include "unlock/mappings.h"

#include <algorithm>

#include "unlock/sysfs.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

/// NAME_dif is where LUKS keeps checksums too, NAME_1 one cipher of a TrueCrypt chain. Source: libcryptsetup,
/// lib/luks2/luks2_json_metadata.c, lib/tcrypt/tcrypt.c.
bool is_layer_of(const Mapping& layer, const Mapping& top) {
  if (!layer.is_of_cryptsetup() || !top.is_of_cryptsetup() || !layer.name.starts_with(top.name + "_")) {
    return false;
  }
  const auto rest = layer.name.substr(top.name.size() + 1);
  const bool is_number = !rest.empty() && rest.find_first_not_of("0123456789") == std::string::npos;
  return rest == "dif" || (is_number && top.uuid.starts_with("CRYPT-TCRYPT-"));
}

}  // namespace

Mappings Mappings::read(const fs::path& blocks) {
  Mappings mappings(blocks);
  for (const auto& node : names_in(blocks)) {
    const fs::path folder = blocks / node;
    const std::string name = first_line(folder / "dm" / "name");
    if (name.empty()) continue;
    mappings.all_.push_back({name, node, first_line(folder / "dev"), first_line(folder / "dm" / "uuid"),
                             names_in(folder / "slaves"), names_in(folder / "holders")});
  }
  return mappings;
}

const Mapping* Mappings::find(std::string_view name) const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Mapping& mapping) { return mapping.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

const Mapping* Mappings::of_cryptsetup_on(const fs::path& device) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Mapping& mapping) {
    return mapping.is_of_cryptsetup() && lies_on(mapping, device) && !is_layer(mapping);
  });
  return found == all_.end() ? nullptr : &*found;
}

bool Mappings::is_layer(const Mapping& mapping) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Mapping& top) { return is_layer_of(mapping, top); });
}

bool Mappings::lies_on(const Mapping& mapping, const fs::path& device) const {
  return reaches(mapping, mapping, device);
}

bool Mappings::reaches(const Mapping& mapping, const Mapping& top, const fs::path& device) const {
  return std::any_of(mapping.devices.begin(), mapping.devices.end(), [&](const std::string& below) {
    if (below == device.filename() || first_line(blocks_ / below / "loop" / "backing_file") == device) {
      return true;
    }
    const auto layer = std::find_if(all_.begin(), all_.end(),
                                    [&](const Mapping& candidate) { return candidate.node == below; });
    return layer != all_.end() && is_layer_of(*layer, top) && reaches(*layer, top, device);
  });
}

}  // namespace zkv::unlock
