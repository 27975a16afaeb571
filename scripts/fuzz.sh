#!/usr/bin/env bash
# `make fuzz`, or fuzz.sh [SECONDS [TARGET...]]: each target of tests/fuzz for so long. What is found new stays under
# target/fuzz; what breaks is written to tests/fuzz/artifacts.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

each=${1:-60}
targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ]; then
  for file in tests/fuzz/targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

need cc=gcc c++=g++
rustup run nightly rustc --version >/dev/null 2>&1 ||
  { say "installing the nightly toolchain"; rustup toolchain install nightly --profile minimal; }
cargo fuzz --version >/dev/null 2>&1 ||
  { say "installing cargo-fuzz"; cargo install --locked --quiet --debug cargo-fuzz@0.13.1; }

# The versions that the console is built with; cargo adds what only fuzzing needs. Our code has nothing unsafe: without
# a sanitizer, there are twice as many tries.
cp Cargo.lock tests/fuzz/
broken=()
for target in "${targets[@]}"; do
  say "$target, for $each s"
  mkdir -p "target/fuzz/corpus/$target"
  cargo +nightly fuzz run --sanitizer none --fuzz-dir tests/fuzz --target-dir target/fuzz "$target" \
    "target/fuzz/corpus/$target" "tests/fuzz/corpus/$target" -- \
    -max_total_time="$each" -max_len=4096 -timeout=20 -dict=tests/fuzz/words.dict -print_final_stats=1 ||
    broken+=("$target")
done
[ ${#broken[@]} -eq 0 ] || die "something does not hold: ${broken[*]}"
