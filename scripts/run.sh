#!/usr/bin/env bash
# `make run`: the console in front of this machine's engine. Where there is none, Docker is installed from the distribution's
# packages first. Arguments go to wheelhouse.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

DEFAULT=unix:///var/run/docker.sock
host=${DOCKER_HOST:-$DEFAULT}
socket=${host#unix://}

answers() {
  case $host in
    unix://*) curl -sf --max-time 5 --unix-socket "$socket" http://engine/_ping ;;
    tcp://*) curl -sf --max-time 5 "http://${host#tcp://}/_ping" ;;
    *) return 0 ;;   # not ours to judge: wheelhouse itself says what is wrong with it
  esac >/dev/null 2>&1
}

start_docker() {
  if ! command -v dockerd >/dev/null; then
    say "no engine answers at $host: installing Docker (package docker.io of this distribution)"
    SERVICES=yes apt_install docker.io
  fi
  answers && return
  if [ -d /run/systemd/system ]; then
    say "starting Docker (systemctl start docker)"
    as_root systemctl start docker
  else
    say "starting Docker (dockerd in the background, its log is /var/log/dockerd.log)"
    # shellcheck disable=SC2016 # expanded by the shell that runs as root
    as_root bash -c 'source "$1"; daemon /var/log/dockerd.log dockerd' - "$ROOT/scripts/common.sh"
  fi
  for _ in $(seq 60); do
    answers && return
    [ ! -S "$socket" ] || [ -w "$socket" ] || return 0
    sleep 0.5
  done
  die "Docker was started but does not answer at $host"
}

need curl
if ! answers; then
  if [ "$host" != "$DEFAULT" ]; then die "no engine answers at $host (from DOCKER_HOST)"; fi
  if [ ! -S "$socket" ] || [ -w "$socket" ]; then start_docker; fi
  [ -w "$socket" ] || die "you may not use $socket: run 'sudo usermod -aG docker $(id -un)', log in again, then 'make run' (or 'sudo make run')"
fi

command -v cargo >/dev/null || die "Rust is missing: https://rustup.rs"
need cc=gcc
[ -e /usr/include/stdlib.h ] || apt_install libc6-dev
cd "$ROOT"
# Hashing a password takes 19 MiB for a moment: with a fixed threshold the C library gives them back.
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=262144
# The address is printed by wheelhouse itself when it listens.
exec cargo run --release --locked -- "$@"
