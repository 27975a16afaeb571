#!/usr/bin/env bash
# The container image, built from the Dockerfile as it stands and run as the README says, in a tighter box still.
# Needs the test engines (scripts/test.sh starts them); prints `N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"
export ENGINES=${ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/wheelhouse-engines}
engines=$ROOT/scripts/engines.sh
docker() { "$engines" docker docker28 "$@" </dev/null; }
socket=$ENGINES/docker28/engine.sock
image=wheelhouse:under-test
self=wh-image-$$ other=wh-image-$$-other

passed=0 failed=0
# check WHAT COMMAND...: what must be so.
check() {
  local what=$1; shift
  if "$@"; then echo "ok    $what"; passed=$((passed + 1)); else echo "FAIL  $what"; failed=$((failed + 1)); fi
}
# within SECONDS COMMAND...: becomes true in time.
within() { local end=$((SECONDS + $1)); shift; until "$@"; do [ "$SECONDS" -lt "$end" ] || return 1; sleep 0.5; done; }

is() { [ "$(docker inspect -f '{{.State.Status}}' "$1")" = "$2" ]; }

cleanup() { docker rm -f "$self" "$other" >/dev/null 2>&1 || true; if [ -n "${stop_builder:-}" ]; then "$engines" stop builder; fi; }
trap cleanup EXIT

"$engines" start docker28 </dev/null >/dev/null
"$engines" images docker28 </dev/null
say "building the image"
[ -S "$ENGINES/builder/engine.sock" ] || stop_builder=yes
"$engines" start builder </dev/null >/dev/null
scripts/base-image.sh "$ENGINES/builder/engine.sock"
begin=$SECONDS
"$engines" docker builder build --progress plain --network host -t "$image" . </dev/null
echo "built in $((SECONDS - begin)) s"
"$engines" docker builder save "$image" | "$engines" docker docker28 load >/dev/null

size=$(docker image inspect -f '{{.Size}}' "$image")
echo "size $size bytes"
# SQLite, TLS and the ways to sign in are some 12 MB of it.
check "the image is smaller than 34 MB" [ "$size" -lt 34000000 ]

docker run -d --name "$other" --stop-timeout 1 --init busybox:latest sleep 1000 >/dev/null
docker run -d --name "$self" -p 127.0.0.1::9000 --read-only --cap-drop ALL --security-opt no-new-privileges \
  --group-add "$(stat -c %g "$socket")" -m 128m --pids-limit 256 -v "$socket:/var/run/docker.sock" \
  "$image" >/dev/null
within 5 is "$self" running || { docker logs "$self"; die "the console did not start in its container"; }
address=$(docker port "$self" 9000/tcp)
self_id=$(docker inspect -f '{{.Id}}' "$self") other_id=$(docker inspect -f '{{.Id}}' "$other")
pid=$(docker inspect -f '{{.State.Pid}}' "$self")

# web PATH [CURL ARGS...]: prints the status; the body is in $body.
body=$(mktemp) jar=$(mktemp)
web() { local path=$1; shift; "$engines" enter docker28 curl -sk --max-time 30 -b "$jar" -c "$jar" -o "$body" -w '%{http_code}' "$@" "https://$address$path" </dev/null; }
post() { web "$1" -X POST -H "Origin: https://$address"; }
answers() { [ "$(web "$1")" = 200 ]; }
status_line() { grep -qE "^$1:[[:space:]]+$2\$" "/proc/$pid/status"; }
healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$self")" = healthy ]; }

check "/healthz answers" within 10 answers /healthz
check "/readyz answers" within 10 answers /readyz
check "it is nobody" status_line Uid '65532\s+65532\s+65532\s+65532'
check "it has no capability" status_line CapEff 0000000000000000
check "it gains no privilege" status_line NoNewPrivs 1
token=$(docker logs "$self" 2>&1 | sed -n 's/.*token=\([a-z0-9]*\).*/\1/p' | head -1)
check "the log has a one-time link" [ -n "$token" ]
check "a stranger is sent to sign in" [ "$(web /containers)" = 303 ]
check "the link makes the administrator" [ "$(web /setup -H "Origin: https://$address" -d "token=$token" -d name=admin -d "password=$(uuidgen 2>/dev/null || cat /proc/sys/kernel/random/uuid)")" = 303 ]
check "once" [ "$(web /setup -H "Origin: https://$address" -d "token=$token" -d name=other -d password=other-other-other)" = 403 ]
check "the host has a way back in" grep -q 'token=' <(docker exec "$self" /wheelhouse admin reset)
check "the audit is whole" docker exec "$self" /wheelhouse audit verify
check "the list answers" within 10 answers /containers
check "the list names the other container" grep -q "$other" "$body"
check "a container can be stopped" [ "$(post "/containers/$other_id/stop")" = 303 ]
check "it is stopped" within 15 is "$other" exited
check "a container can be started" [ "$(post "/containers/$other_id/start")" = 303 ]
check "it runs" within 15 is "$other" running
check "the console does not stop itself" [ "$(post "/containers/$self_id/stop")" = 409 ]
check "it says why" [ -s "$body" ]
check "it runs on" is "$self" running
check "the engine calls it healthy" within 40 healthy
check "nothing in the image is setuid or setgid" [ -z "$(docker export "$self" | tar -tv | awk '$1 ~ /^-.*[sS]/')" ]
grep VmRSS "/proc/$pid/status"
begin=$SECONDS
docker stop "$self" >/dev/null
check "it ends within 10 seconds of docker stop" [ $((SECONDS - begin)) -lt 10 ]
check "it ends well" [ "$(docker inspect -f '{{.State.ExitCode}}' "$self")" = 0 ]

if [ "$failed" != 0 ]; then docker logs --tail 30 "$self" || true; fi
rm -f "$body" "$jar"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
