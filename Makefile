# The front door: the same words for people and for CI. `make help` lists them.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
# With these, what one checkout compiled serves the next, and the package build, which speaks another locale.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_SLOPPINESS := locale

.DEFAULT_GOAL := help
.PHONY: help demo deps build test test-all test-dev test-tsan fuzz lint format coverage bench package clean

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

test: build ## everything CI runs: lint, build with sanitizers, all tests but the longer part of the boots
	tools/lint --quick
	cmake --preset asan
	cmake --build --preset asan --parallel $(JOBS)
	ctest --test-dir build/asan --label-exclude whole --parallel $(JOBS) --output-on-failure --no-tests=error

test-all: build ## the whole: also the analyzer over each file, all boots, the unit tests under ThreadSanitizer, 60 s of each fuzzer
	tools/lint
	cmake --preset asan
	cmake --build --preset asan --parallel $(JOBS)
	ctest --test-dir build/asan --parallel $(JOBS) --output-on-failure --no-tests=error
	$(MAKE) test-tsan
	$(MAKE) fuzz FUZZ_SECONDS=60

test-dev: ## the same tests without sanitizers, quick to build
	cmake --preset dev
	cmake --build --preset dev --parallel $(JOBS)
	ctest --test-dir build/dev --parallel $(JOBS) --output-on-failure --no-tests=error

test-tsan: deps ## unit tests under ThreadSanitizer
	cmake --preset tsan
	cmake --build --preset tsan --parallel $(JOBS)
	ctest --test-dir build/tsan --label-regex unit --parallel $(JOBS) --output-on-failure --no-tests=error

fuzz: deps ## every parser of bytes from outside, FUZZ_SECONDS (600) each
	cmake --preset fuzz
	cmake --build --preset fuzz --target fuzzers --parallel $(JOBS)
	@nice tests/fuzz/run build/fuzz

coverage: deps ## line coverage of the unit and integration tests
	cmake --preset coverage
	cmake --build --preset coverage --parallel $(JOBS)
	ctest --test-dir build/coverage --label-regex 'unit|integration' --parallel $(JOBS) --output-on-failure --no-tests=error
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
