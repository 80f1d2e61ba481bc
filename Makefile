# The front door: the same words for people and for CI. `make help` lists them.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
# A test waits for this and that: two more than there are processors keep them busy.
CTEST := ctest --parallel $(shell expr $(JOBS) + 2) --output-on-failure --no-tests=error
# A check that traps says where.
export ASAN_OPTIONS := handle_sigill=1
# With these, what one checkout compiled serves the next, and the package build, which speaks another locale.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_SLOPPINESS := locale

.DEFAULT_GOAL := help
.PHONY: help demo deps build test test-all test-dev test-ubsan test-tsan fuzz lint format coverage bench package clean

help: ## what can be said here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the Debian packages that packages.list names
	@tools/install-packages packages.list

demo: deps ## a machine boots, you approve, its filesystems are mounted: real ZFS in a guest (DEMO_YES=1 approves by itself)
	@tools/demo

build: deps ## build zkv and zkvgateway into build/bin/
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS)
	@mkdir -p build/bin && ln -sf ../release/bin/zkv ../release/bin/zkvgateway build/bin/
	@echo "built: build/bin/zkv build/bin/zkvgateway"

test: build ## everything CI runs: lint, build with sanitizers, all tests but the longer part of the boots and crashes
	tools/lint --quick
	cmake --preset asan
	cmake --build --preset asan --parallel $(JOBS)
	$(CTEST) --test-dir build/asan --label-exclude whole

test-all: build ## the whole: also the analyzer over each file, all boots, a crash at every system call, the unit tests under two more sanitizers, 60 s of each fuzzer
	tools/lint
	cmake --preset asan
	cmake --build --preset asan --parallel $(JOBS)
	$(CTEST) --test-dir build/asan
	$(MAKE) test-ubsan test-tsan
	$(MAKE) fuzz FUZZ_SECONDS=60

test-dev: ## the same tests without sanitizers, quick to build
	cmake --preset dev
	cmake --build --preset dev --parallel $(JOBS)
	$(CTEST) --test-dir build/dev

test-ubsan: deps ## unit tests under UndefinedBehaviorSanitizer, which says what it found, and checks types, too
	cmake --preset ubsan
	cmake --build --preset ubsan --parallel $(JOBS)
	$(CTEST) --test-dir build/ubsan --label-regex unit

test-tsan: deps ## unit tests under ThreadSanitizer
	cmake --preset tsan
	cmake --build --preset tsan --parallel $(JOBS)
	$(CTEST) --test-dir build/tsan --label-regex unit

fuzz: deps ## every parser of bytes from outside, FUZZ_SECONDS (600) each
	cmake --preset fuzz
	cmake --build --preset fuzz --target fuzzers --parallel $(JOBS)
	@nice tests/fuzz/run build/fuzz

coverage: build ## line coverage of the unit and integration tests
	cmake --preset coverage
	cmake --build --preset coverage --parallel $(JOBS)
	$(CTEST) --test-dir build/coverage --label-regex 'unit|integration'
	gcovr --root . --filter src/ --exclude-throw-branches --print-summary --txt build/coverage/coverage.txt build/coverage
	@tail -n 4 build/coverage/coverage.txt

package: deps ## Debian packages in build/packages/
	tools/package

bench: build package ## the figures of docs/benchmarks.md, as ratios in one run
	cmake --preset bench
	cmake --build --preset bench --target passkey_cost raw_load --parallel $(JOBS)
	@tests/browser/install
	@tests/bench/run.py

lint: deps ## layout, clang-tidy with its analyzer, shell scripts
	tools/lint

format: ## lay the sources out as .clang-format says
	git ls-files -z 'src/*.h' 'src/*.cpp' 'tests/*.h' 'tests/*.cpp' | xargs -0 clang-format -i

clean: ## remove what was built
	rm -rf build
