// Makes memory ready before it is needed: a short command spends more time in page faults than in its work.
#pragma once

namespace zkv::cli {

/// Maps some of the program's heap by one system call. A kernel before 5.14 cannot do so; nothing is lost by
/// it. Source: madvise(2), MADV_POPULATE_WRITE.
void map_memory_ahead();

}  // namespace zkv::cli
