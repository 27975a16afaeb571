#!/usr/bin/env bash
# `make check`: everything that can be said about the source without running it. Nothing here needs an engine.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

# tool NAME VERSION: a cargo subcommand from its source. Without optimisation it is built in less than a minute.
tool() {
  cargo "${1#cargo-}" --version >/dev/null 2>&1 || { say "installing $1"; cargo install --locked --quiet --debug "$1@$2"; }
}

step() { say "$*"; "$@"; }

need cc=gcc shellcheck
tool cargo-deny 0.20.2
tool cargo-machete 0.9.2

step cargo fmt --all --check
step cargo clippy --all-targets --locked -- -D warnings
RUSTDOCFLAGS=-Dwarnings step cargo doc --no-deps --document-private-items --locked
step cargo deny --locked check licenses bans sources
step cargo machete
step shellcheck -x scripts/*.sh .ci/run
