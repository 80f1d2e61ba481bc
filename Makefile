# The front door: the same words for people and for CI. `make help` lists them.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help
.PHONY: help deps build test test-dev lint format clean

help: ## what can be said here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the Debian packages that packages.list names
	@tools/install-packages packages.list

build: deps ## build zkv and zkvgateway into build/bin/
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS)
	@mkdir -p build/bin && ln -sf ../release/bin/zkv ../release/bin/zkvgateway build/bin/
	@echo "built: build/bin/zkv build/bin/zkvgateway"

test: deps lint ## everything CI runs: lint, build with sanitizers, all tests
	cmake --preset asan
	cmake --build --preset asan --parallel $(JOBS)
	ctest --test-dir build/asan --parallel $(JOBS) --output-on-failure --no-tests=error

test-dev: ## the same tests without sanitizers, quick to build
	cmake --preset dev
	cmake --build --preset dev --parallel $(JOBS)
	ctest --test-dir build/dev --parallel $(JOBS) --output-on-failure --no-tests=error

lint: deps ## layout, clang-tidy, shell scripts
	tools/lint

format: ## lay the sources out as .clang-format says
	git ls-files -z 'src/*.h' 'src/*.cpp' 'tests/*.h' 'tests/*.cpp' | xargs -0 clang-format -i

clean: ## remove what was built
	rm -rf build
