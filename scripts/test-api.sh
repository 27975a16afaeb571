#!/usr/bin/env bash
# The OpenAPI description against the console itself: schemathesis sends what it allows and what it forbids, with the token
# of a viewer, of an operator and of an administrator. The operator sees only what carries a label, and the administrator's
# console is read-only: the engine's other users lose nothing. `make test` starts the engine and calls this.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

VERSION=4.32.5
LABEL=schemathesis
ENGINES=${ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/wheelhouse-engines}
venv=${XDG_CACHE_HOME:-$HOME/.cache}/wheelhouse-schemathesis-$VERSION
dir=$(mktemp -d)
consoles=()

docker20() { scripts/engines.sh docker docker20 "$@" </dev/null; }
of_label() { docker20 "$@" -q --filter "label=$LABEL"; }
finish() {
  [ ${#consoles[@]} -eq 0 ] || kill "${consoles[@]}" 2>/dev/null || true
  of_label ps -a | xargs -r scripts/engines.sh docker docker20 rm -fv >/dev/null 2>&1 || true
  of_label volume ls | xargs -r scripts/engines.sh docker docker20 volume rm >/dev/null 2>&1 || true
  rm -rf "$dir"
}
trap finish EXIT

if [ ! -x "$venv/bin/schemathesis" ]; then
  need python3
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
  { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "schemathesis==$VERSION"; } || { rm -rf "$venv"; die "no schemathesis"; }
fi
if [ -z "${WHEELHOUSE_BIN:-}" ]; then
  cargo build --locked --bin wheelhouse </dev/null
  target=$(cargo metadata --format-version 1 --no-deps --locked | sed -E 's/.*"target_directory":"([^"]+)".*/\1/')
  WHEELHOUSE_BIN=$target/debug/wheelhouse
fi

password='correct horse battery staple'
printf %s "$password" >"$dir/password"

# console NAME FLAG...: starts one with an administrator who has signed in; sets $url.
console() {
  local name=$1; shift
  : >"$dir/$name.log"
  "$WHEELHOUSE_BIN" --listen 127.0.0.1:0 --engine "unix://$ENGINES/docker20/engine.sock" --data "$dir/$name" \
    --admin-password-file "$dir/password" "$@" >"$dir/$name.log" 2>&1 </dev/null &
  consoles+=($!)
  for _ in $(seq 100); do
    url=$(sed -nE 's/^Wheelhouse listens on (.*)\/$/\1/p' "$dir/$name.log")
    if [ -n "$url" ] && curl -sf -o /dev/null "$url/readyz"; then break; fi
    sleep 0.1
  done
  curl -sf -o /dev/null -c "$dir/$name.cookie" -H "Origin: $url" --data-urlencode name=admin --data-urlencode "password=$password" "$url/login" \
    || { cat "$dir/$name.log"; die "nobody can sign in"; }
}

# token NAME FIELD...: makes a token at $url.
token() {
  local name=$1; shift
  local fields=() field
  for field; do fields+=(--data-urlencode "$field"); done
  curl -sf -b "$dir/$name.cookie" -H "Origin: $url" -H 'Accept: application/json' "${fields[@]}" "$url/me/tokens" \
    | sed -E 's/.*"token":"([^"]+)".*/\1/'
}

# One that ends when it is asked to, however long somebody would wait for it.
container=$(docker20 run -d --label "$LABEL=" busybox sh -c 'trap "exit 0" TERM; while :; do sleep 1; done')
volume=$(docker20 volume create --label "$LABEL=" "$LABEL-$$")

# What is left out, and why:
# - positive_data_acceptance: names, images and docker's flags have grammars and meanings that a schema does not tell; what
#   is refused is held to its status and its schema all the same.
# - ensure_resource_availability: it knows of removal by DELETE alone. Here things are removed by POST .../remove, and what
#   it has removed itself it then misses.
# - unsupported_method, allow_header_conformance where an address that scripts write to has a page with a form for people,
#   which is no part of the description.
# The ids of something real, so that more than "there is no such thing" is tested; what removes, removes what it has made.
cat >"$dir/schemathesis.toml" <<TOML
[checks]
positive_data_acceptance.enabled = false
ensure_resource_availability.enabled = false

[[operations]]
include-path-regex = "^/containers/[{]id[}](|/inspect|/start|/stop|/restart|/kill|/pause|/unpause)$"
parameters = { "path.id" = "$container" }

# It asks Docker Hub, where there is no way to it on most machines that test.
[[operations]]
include-path-regex = "^/images/search$"
enabled = false

[[operations]]
include-path-regex = "/files/(edit|rename)$"
checks = { unsupported_method = { enabled = false }, allow_header_conformance = { enabled = false } }

[[operations]]
include-path-regex = "^/volumes/[{]name[}](|/inspect.json)$"
parameters = { "path.name" = "$volume" }
TOML

passed=0 failed=0
# holds WHO EXAMPLES TOKEN: tests as who has that token at $url.
holds() {
  local who=$1 examples=$2 token=$3 log=$dir/$1.txt status=0 tested bad
  say "schemathesis as $who"
  curl -sf -H "Authorization: Bearer $token" "$url/openapi.json" >"$dir/openapi.json"
  # One worker: what one would remove, another would miss. It keeps what it has found in the folder that it is in.
  (cd "$dir" && exec timeout 600 "$venv/bin/schemathesis" --config-file schemathesis.toml run openapi.json --url "$url" --no-color \
    -H "Authorization: Bearer $token" -H 'Accept: application/json' --max-examples "$examples" --seed "${SEED:-1}" \
    --generation-database none --request-timeout 30 --continue-on-failure) >"$log" 2>&1 </dev/null || status=$?
  tested=$(awk '$1 == "Tested:" { print $2 }' "$log")
  bad=$(awk '/^_+ .* _+$/ { n++ } END { print n + 0 }' "$log")
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$bad" = 0 ]; then sed -n '/^=* SUMMARY/,$p' "$log"; else cat "$log"; fi
  passed=$((passed + ${tested:-0} - (bad < ${tested:-0} ? bad : ${tested:-0}))) failed=$((failed + bad))
}

console console
holds viewer 5 "$(token console name=viewer role=viewer)"
holds operator 20 "$(token console name=operator role=operator "scope=label:$LABEL")"
console read-only --read-only
holds administrator 20 "$(token read-only name=admin role=admin)"

bad=$(grep -hE ' (ERROR|WARN) |panicked' "$dir"/*.log | head -20) || true
[ -z "$bad" ] || { echo "$bad"; }
! grep -qhE ' ERROR |panicked' "$dir"/*.log || failed=$((failed + 1))

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
