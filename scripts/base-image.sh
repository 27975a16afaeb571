#!/usr/bin/env bash
# Makes the image that the Dockerfile starts from, rust:1.95-bookworm, on a machine that reaches no image registry:
# a small Debian and this machine's own Rust. With it the Dockerfile is tested as it stands.
#   base-image.sh SOCKET
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
socket=$1
name=$(sed -nE 's/^FROM (rust:[^ ]+) AS build$/\1/p' "$ROOT/Dockerfile")
ENGINES=${ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/wheelhouse-engines}
engine() { DOCKER_HOST=unix://$socket "$ENGINES/bin/docker" "$@"; }

if engine image inspect "$name" >/dev/null 2>&1; then exit; fi
say "making $name"
need debootstrap rustc=rustc
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=gcc,libc6-dev,ca-certificates bookworm "$root" "$(debian_mirror)" >"$root.log" 2>&1 </dev/null ||
  { tail -n 20 "$root.log" >&2; exit 1; }
rm -rf "$root.log" "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}

rust=$(cd "$ROOT" && rustc --print sysroot)
mkdir -p "$root/usr/local/rust" "$root/root/.cargo"
tar -C "$rust" --exclude=share --exclude='rust-analyzer*' -c bin lib | tar -C "$root/usr/local/rust" -x
# cargo has to reach its registry as it does out here: by the same settings, and trusting whom this machine trusts.
cp "${CARGO_HOME:-$HOME/.cargo}"/config.toml "$root/root/.cargo/" 2>/dev/null || true
cp -L "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/ssl/certs/ca-certificates.crt"
tar -C "$root" -c . | engine import -c 'ENV PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$name" >/dev/null
