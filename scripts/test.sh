#!/usr/bin/env bash
# `make test`: every suite against real engines that this script starts: test.sh [it|browser|image|api|all]
#   it       unit tests and tests/it (cargo test)
#   browser  tests/browser in a real Chromium
#   image    the container image, built and run
#   api      schemathesis against the console, by its own description
# Also `bench` and `screenshots`, which need the same surroundings. What is missing on the machine is installed.
# KEEP_ENGINES=1 leaves the engines running for the next time.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"
[ "$(id -u)" = 0 ] || die "the test engines need root: sudo -E make test"

part=${1:-all}
case $part in all | it | browser | image | api | bench | screenshots) ;; *) die "no such part: $part" ;; esac
wants() { [ "$part" = all ] || [ "$part" = "$1" ]; }
drives_browser() { wants browser || [ "$part" = screenshots ] || [ "$part" = bench ]; }

export ENGINES=${ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/wheelhouse-engines}
engines=$ROOT/scripts/engines.sh
logs=$(mktemp -d)
passed=0 failed=0 skipped=0 broken=() shaky=()

started=()
finish() {
  # shellcheck disable=SC2046 # a list of numbers; only when interrupted is there one
  kill $(jobs -p) 2>/dev/null || true
  [ -n "${KEEP_ENGINES:-}" ] || [ ${#started[@]} -eq 0 ] || "$engines" stop "${started[@]}"
  rm -rf "$logs"
}
trap finish EXIT

# suite NAME COMMAND...: its output on the screen and in a file. Not through a pipe: a process that a test left behind would
# hold the pipe open, and this script with it.
suite() {
  local name=$1 log=$logs/$1 pid status=0; shift
  say "$name"
  "$@" >"$log" 2>&1 </dev/null & pid=$!
  tail -n +1 -s 0.2 -f --pid="$pid" "$log" &
  local screen=$!
  wait "$pid" || status=$?
  wait "$screen" || true
  # The closing lines of cargo test, of node's runner (both of its formats), and of our own scripts.
  local p f s
  read -r p f s < <(awk '
    /^test result:/ { for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) p += $(i-1); if ($i ~ /^failed/) f += $(i-1); if ($i ~ /^ignored/) s += $(i-1) } }
    /^(#|ℹ) pass [0-9]+$/ { p += $3 } /^(#|ℹ) fail [0-9]+$/ { f += $3 } /^(#|ℹ) (skipped|todo) [0-9]+$/ { s += $3 }
    /^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3 }
    END { print p + 0, f + 0, s + 0 }' "$log")
  # A suite that broke without counting a failure (it did not compile, it crashed) is one.
  if [ "$status" != 0 ] && [ "$f" = 0 ]; then f=1; fi
  # Engines and a browser on a busy machine: what failed alone is tried once more alone, and named either way.
  if [ "$status" != 0 ] && [ "$(type -t "again_$name")" = function ]; then
    say "$name: once more, what failed"
    if "again_$name" "$log" >"$log.again" 2>&1 </dev/null; then
      status=0 p=$((p + f)) f=0
      mapfile -t -O ${#shaky[@]} shaky < <(failures "$log")
    else
      cat "$log.again"
    fi
  fi
  [ "$status" = 0 ] || broken+=("$name")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# The names of the tests that failed, of cargo and of node.
failures() { awk '/^test .* \.\.\. FAILED$/ { print $2 } /^ *not ok [0-9]+ - / { sub(/^ *not ok [0-9]+ - /, ""); print }' "$1" | sort -u; }
# What is tried again: a few. More than that is no accident.
again_it() {
  local names
  mapfile -t names < <(failures "$1")
  [ ${#names[@]} -gt 0 ] && [ ${#names[@]} -le 12 ] || return 1
  RUST_TEST_THREADS=1 cargo test --all-targets --locked --no-fail-fast -- --exact "${names[@]}"
}
again_browser() {
  local files
  mapfile -t files < <(sed -nE "s/^ *location: '([^']+\.mjs):.*/\1/p" "$1" | sort -u)
  [ ${#files[@]} -gt 0 ] && [ ${#files[@]} -le 5 ] || return 1
  node --test --test-reporter=tap --test-timeout=900000 --test-concurrency=1 "${files[@]}"
}

need curl cc=gcc pkg-config
[ -e /usr/include/stdlib.h ] || apt_install libc6-dev
if wants it; then need nginx=nginx-light openssl; fi
if drives_browser; then need chromium; fi
# The browser's driver, and the provider that the tests of sign-in stand before.
if wants it || drives_browser; then
  need node=nodejs npm
  [ ! -e tests/browser/package-lock.json ] || npm ci --prefix tests/browser --no-audit --no-fund --silent </dev/null
fi

say "engines in $ENGINES"
"$engines" fetch </dev/null
for name in docker28 docker20 podman4; do
  if ! curl -sf --max-time 5 --unix-socket "$ENGINES/$name/engine.sock" http://engine/_ping >/dev/null 2>&1; then started+=("$name"); fi
  "$engines" start "$name" </dev/null
  "$engines" images "$name" </dev/null
  "$engines" registry "$name" </dev/null
done
# shellcheck source=/dev/null
source <("$engines" env)
export PATH=$PATH:$ENGINES/bin   # a docker command line, where the machine has none

# They wait for engines more than they compute.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-8}

cargo_tests() {
  local status=0
  cargo test --all-targets --locked --no-fail-fast || status=$?
  cargo test --doc --locked || status=$?
  return "$status"
}
if wants it; then suite it cargo_tests; fi

if drives_browser; then
  profile=dev
  [ "$part" != bench ] || profile=release
  cargo build --locked --profile "$profile" --bin wheelhouse </dev/null
  target=$(cargo metadata --format-version 1 --no-deps --locked | sed -E 's/.*"target_directory":"([^"]+)".*/\1/')
  export WHEELHOUSE_BIN=$target/${profile/dev/debug}/wheelhouse
fi
if wants browser; then
  # Named one by one: what `node --test FOLDER` means has changed between versions of node.
  mapfile -t files < <(find tests/browser -name node_modules -prune -o \( -name '*.test.js' -o -name '*.test.mjs' \) -print | sort)
  [ ${#files[@]} -gt 0 ] || die "no tests in tests/browser"
  suite browser node --test --test-reporter=tap --test-timeout=900000 --test-concurrency=1 "${files[@]}"
fi
if wants image; then suite image "$ROOT/scripts/test-image.sh"; fi
if wants api; then suite api "$ROOT/scripts/test-api.sh"; fi
if [ "$part" = bench ]; then suite bench node tests/bench/bench.mjs README.md; fi
if [ "$part" = screenshots ]; then suite screenshots node tests/browser/screenshots.mjs tests/browser/pictures; fi

for name in "${shaky[@]}"; do echo "only at the second try: $name"; done
[ ${#broken[@]} -eq 0 ] || say "failed: ${broken[*]}"
for name in "${broken[@]}"; do
  say "what failed in $name"
  awk '/^---- / || /^ *not ok / { left = 14 } left-- > 0 && !/^ +[0-9]+:|^ +at / { print substr($0, 1, 400) }' "$logs/$name"
done
if [ "$skipped" = 0 ]; then echo "$passed passed, $failed failed"; else echo "$passed passed, $failed failed, $skipped skipped"; fi
[ "$failed" = 0 ]
