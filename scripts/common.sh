# shellcheck shell=bash
# Shared by the scripts beside this file: `source "$(dirname "$0")/common.sh"`.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT
export PATH=$PATH:$HOME/.cargo/bin   # where rustup puts cargo, and what a root shell may lack

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# need COMMAND[=PACKAGE]...: installs, from the distribution's packages, those whose command is missing.
need() {
  local word missing=()
  for word in "$@"; do type -P "${word%%=*}" >/dev/null || missing+=("${word#*=}"); done
  [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# A package may bring a service (nginx, a registry) that starts by itself when installed; what is installed for tests must not.
apt_install() (
  command -v apt-get >/dev/null || die "please install: $* (this machine has no apt-get)"
  say "installing $*"
  policy=/usr/sbin/policy-rc.d
  if [ "${SERVICES:-no}" = no ] && [ ! -e "$policy" ]; then
    # shellcheck disable=SC2064 # expanded now on purpose
    trap "as_root rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy"
  fi
  as_root apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -y -qq --no-install-recommends "$@" >/dev/null
)

# daemon LOG COMMAND...: starts it detached and sets $daemon_pid. It holds none of the caller's descriptors:
# whoever reads `script | ...` would otherwise wait until the daemon ends.
daemon() {
  local log=$1; shift
  (
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi
    done
    exec setsid "$@" </dev/null >"$log" 2>&1
  ) &
  export daemon_pid=$!
}

# Debian packages of another suite come from the mirror that this machine's own package lists name.
debian_mirror() {
  local mirror
  mirror=$(sed -nE 's/^(URIs:|deb)( \[[^]]*\])? +(https?:[^ ]*\/debian)\/?( .*)?$/\3/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1) || true
  [ -n "$mirror" ] || die "no Debian mirror in /etc/apt: the test engines are made from Debian's packages"
  echo "$mirror"
}
