// How a coroutine waits for its command of the ledger; what is the same for every value is compiled once,
// here.
#include "gateway/service/suspend.h"

namespace zkv::gateway {

boost::asio::awaitable<Result<>> commit(Ledger& ledger, Desk& desk,
                                        std::function<Result<>(Decisions&)> work) {
  struct Question {
    Completion<Result<>> completion;
    std::function<Result<>(Decisions&)> work;
    Decisions decisions;
  };
  auto start = [&ledger, &desk, work = std::move(work)](Completion<Result<>>::Handler handler) mutable {
    auto question =
        std::make_shared<Question>(Question{Completion<Result<>>(std::move(handler)), std::move(work), {}});
    ledger.submit({
        [question] { return question->work(question->decisions); },
        [&desk, question](const Result<>& committed) {
          if (committed) desk.carry_out(question->decisions);
          question->completion(committed);
        },
    });
  };
  co_return co_await suspend<Result<>>(std::move(start));
}

}  // namespace zkv::gateway
