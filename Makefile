.DEFAULT_GOAL := help
.PHONY: help run build test test-it test-browser test-image test-api check fuzz bench image screenshots

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run the console (ARGS="..." for wheelhouse); installs and starts Docker where no engine answers
	@scripts/run.sh $(ARGS)

build: ## build target/release/wheelhouse
	cargo build --release --locked

test: ## every test, against real engines of our own (root, Debian); installs what they need
	@scripts/test.sh all

test-it: ## unit and integration tests only
	@scripts/test.sh it

test-browser: ## the tests in a real Chromium only
	@scripts/test.sh browser

test-image: ## build the container image and test it as it is run
	@scripts/test.sh image

test-api: ## the console against its own OpenAPI description
	@scripts/test.sh api

check: ## format, lints, docs, licences, unused dependencies
	@scripts/check.sh

fuzz: ## what reads foreign bytes, for SECONDS (60) each; needs a nightly Rust
	@scripts/fuzz.sh $(or $(SECONDS),60)

bench: ## what is measured, in one run
	@scripts/test.sh bench

image: ## build the container image `wheelhouse`
	docker build -t wheelhouse .

screenshots: ## the pictures of the README
	@scripts/test.sh screenshots
