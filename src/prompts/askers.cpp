// One line for each.
#include "prompts/askers.h"

namespace zkv::prompts {

std::vector<std::unique_ptr<Asker>> all_askers(const Places& places) {
  std::vector<std::unique_ptr<Asker>> askers;
  askers.push_back(pass_fifo(places));
  askers.push_back(ask_password(places));
  askers.push_back(zfs_console(places));
  return askers;
}

}  // namespace zkv::prompts
