#!/usr/bin/env bash
# Private, real container engines for tests, made from Debian's packages: no image registry is needed, and the machine's
# own engine is never touched. Each has its own socket, data, network namespace and processes under $ENGINES.
#
#   engines.sh fetch                  download what they are made of (once; `start` does it too)
#   engines.sh start NAME...          docker28 | docker20 | podman4 | builder      prints each socket
#   engines.sh images NAME            import busybox:latest and web:1, made from Debian's static busybox
#   engines.sh registry NAME          registries on the engine's own 127.0.0.1: one that holds localhost:5000/demo:1, and one
#                                     that asks for a password and holds 127.0.0.1:5001/secret:1
#   engines.sh enter NAME COMMAND...  run a command in the engine's network (published ports are reachable there)
#   engines.sh docker NAME ARGS...    the docker command line against that engine
#   engines.sh env                    what the tests need to know, as shell exports
#   engines.sh stop [NAME...]         end the processes
#   engines.sh clean [NAME...]        stop, and delete the data
#
# `builder` is a Docker 28 for image builds: it lives in the machine's own network, so that RUN steps reach the world with
# `--network host`, and therefore makes no bridge and no firewall rules.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

ENGINES=${ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/wheelhouse-engines}
# Two checkouts with different $ENGINES must not share a namespace.
NS=wh-$(printf %s "$ENGINES" | cksum | cut -d' ' -f1)
ALL=(docker28 docker20 podman4 builder)
DEMO=localhost:5000/demo:1
PRIVATE=127.0.0.1:5001/secret:1
# shellcheck disable=SC2016 # it is no expression
ADA='$2b$05$ECI3eAS2sJrF48hHM2VNJOwcWTWDBj6C46LWVAtpVCFmHe94RUi5S'

fetch() {
  need curl ip=iproute2 iptables runc podman catatonit busybox=busybox-static nsenter=util-linux
  [ ! -e "$ENGINES/fetched" ] || return 0
  say "fetching the engines into $ENGINES"
  # The oldest Docker that distributions still ship; and the newest that Debian has. Should that one ask for a newer libc
  # than this machine's, the stable release's has to do.
  local suite
  debs bookworm docker.io containerd docker-registry tini
  put docker20/bin bookworm dockerd docker-proxy containerd containerd-shim-runc-v2 tini-static
  put docker28/bin bookworm tini-static
  put bin bookworm docker-registry
  for suite in sid trixie; do
    debs $suite docker.io docker-cli containerd docker-compose docker-buildx
    put docker28/bin $suite dockerd docker-proxy containerd containerd-shim-runc-v2
    put bin $suite docker
    if "$ENGINES/docker28/bin/dockerd" --version >/dev/null && "$ENGINES/docker28/bin/containerd" --version >/dev/null; then break; fi
  done
  mkdir -p "$ENGINES/cli/cli-plugins"
  install "$ENGINES/packages/$suite"/root/usr/libexec/docker/cli-plugins/* "$ENGINES/cli/cli-plugins/"
  rm -rf "$ENGINES/packages"
  touch "$ENGINES/fetched"
}

# debs SUITE PACKAGE...: unpacks packages of that Debian suite; installs nothing.
debs() {
  local suite=$1 dir=$ENGINES/packages/$1 mirror; shift
  mirror=$(debian_mirror)
  mkdir -p "$dir"/{lists,archives}/partial "$dir/root"
  # Signed, but not fresh: a mirror that lags behind is good enough for test engines.
  echo "deb [check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$dir/sources.list"
  local apt=(apt-get -qq -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o APT::Sandbox::User=root)
  "${apt[@]}" update >&2
  (cd "$dir/archives" && "${apt[@]}" download "$@" >&2)
  local deb
  for deb in "$dir"/archives/*.deb; do dpkg -x "$deb" "$dir/root"; done
}

# put FOLDER SUITE PROGRAM...: out of the unpacked packages. `install` also replaces a program that is running.
put() {
  local folder=$ENGINES/$1 root=$ENGINES/packages/$2/root program; shift 2
  mkdir -p "$folder"
  for program in "$@"; do install "$root"/usr/*bin/"$program" "$folder/"; done
  # `docker run --init` puts this one into the container, where no libc of ours is.
  [ ! -e "$folder/tini-static" ] || mv "$folder/tini-static" "$folder/docker-init"
}

socket() { echo "$ENGINES/$1/engine.sock"; }
answers() { curl -sf --max-time 5 --unix-socket "$(socket "$1")" http://engine/_ping >/dev/null 2>&1; }
# Is the process of that file still ours? After a reboot the number may be somebody else's.
alive() { [ -s "$1" ] && tr "\0" " " 2>/dev/null <"/proc/$(cat "$1" 2>/dev/null)/cmdline" | grep -qF "$ENGINES/"; }

# in_net NAME: sets $net, the words before a command that put it into the engine's network. `nsenter`, as `ip netns exec`
# hides the control groups from a daemon. Two daemons in one network would fight over docker0 and the firewall rules.
in_net() {
  if [ "$1" = builder ]; then net=(env); return; fi
  if alive "$ENGINES/$1/pid"; then net=(nsenter "--net=/proc/$(cat "$ENGINES/$1/pid")/ns/net"); return; fi
  net=(nsenter "--net=/run/netns/$NS-$1")
  [ -e "/run/netns/$NS-$1" ] || ip netns add "$NS-$1"
  "${net[@]}" ip link set lo up
}

start() {
  local name=$1 dir=$ENGINES/$1
  if answers "$name"; then
    if [ ! -e "$dir/containerd.pid" ] || alive "$dir/containerd.pid"; then socket "$name"; return; fi
    stop "$name"   # a dockerd that lost its containerd answers, and can do nothing
  fi
  mkdir -p "$dir"
  alive "$dir/pid" || rm -f "$dir/pid"
  in_net "$name"
  case $name in
    podman4) start_podman ;;
    docker20) start_docker "$ENGINES/docker20/bin" ;;
    docker28) start_docker "$ENGINES/docker28/bin" ;;
    builder) start_docker "$ENGINES/docker28/bin" --bridge=none --iptables=false --ip6tables=false ;;
    *) die "unknown engine $name" ;;
  esac
  for _ in $(seq 150); do
    if answers "$name"; then socket "$name"; return; fi
    kill -0 "$daemon_pid" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$dir/log" >&2
  die "$name did not start; the whole log is $dir/log"
}

start_docker() {
  local PATH=$1:$PATH; shift
  # A containerd of its own: dockerd would use the machine's if there is one, and clean up its containers.
  # An empty configuration of its own, too: /etc/docker/daemon.json is the machine's.
  echo '{}' >"$dir/daemon.json"
  cat >"$dir/containerd.toml" <<CONF
version = 2
root = "$dir/containerd"
state = "$dir/exec/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[grpc]
address = "$dir/containerd.sock"
CONF
  if ! alive "$dir/containerd.pid"; then
    rm -f "$dir/containerd.sock"
    daemon "$dir/containerd.log" "${net[@]}" containerd --config "$dir/containerd.toml"
    echo "$daemon_pid" >"$dir/containerd.pid"
    for _ in $(seq 50); do [ ! -S "$dir/containerd.sock" ] || break; sleep 0.1; done
  fi
  daemon "$dir/log" "${net[@]}" dockerd --config-file "$dir/daemon.json" --containerd "$dir/containerd.sock" \
    --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" --shutdown-timeout 2 -H "unix://$(socket "$name")" "$@"
}

# Sets $podman, a command line under which Podman shares nothing with the machine's own.
podman_line() {
  podman=(env "CONTAINERS_CONF=$dir/containers.conf" "CONTAINERS_REGISTRIES_CONF=$dir/registries.conf"
    podman --root "$dir/data" --runroot "$dir/run" --tmpdir "$dir/tmp")
}

start_podman() {
  # Its own defaults for the limits are refused on some machines; systemd may not be there to manage groups or events.
  cat >"$dir/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = "$dir/networks"
CONF
  # What Docker thinks of 127.0.0.0/8 by itself: no encryption is asked for.
  printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' localhost:5000 127.0.0.1:5001 >"$dir/registries.conf"
  mkdir -p "$dir/networks"
  rm -rf "$dir/tmp"   # as after a reboot: Podman then believes no old notes of running containers
  podman_line
  daemon "$dir/log" "${net[@]}" "${podman[@]}" system service --time=0 "unix://$(socket "$name")"
  echo "$daemon_pid" >"$dir/pid"
}

# end FILE: asks the process to end, waits, insists.
end() {
  if alive "$1"; then
    local pid; pid=$(cat "$1")
    kill "$pid"
    for _ in $(seq 150); do alive "$1" || break; sleep 0.1; done
    ! alive "$1" || kill -9 "$pid"
  fi
  rm -f "$1"
}

# leftovers FOLDER: what holds the containers of a daemon that was killed, and the containers themselves.
leftovers() {
  local proc pid
  for proc in /proc/[0-9]*; do
    pid=${proc#/proc/}
    case $(cat "$proc/comm" 2>/dev/null || true) in containerd-shim | conmon) ;; *) continue ;; esac
    if tr '\0' ' ' 2>/dev/null <"$proc/cmdline" | grep -qF "$1"; then
      # shellcheck disable=SC2046 # a list of numbers
      kill -9 $(cat "$proc/task/$pid/children") "$pid" 2>/dev/null || true
    fi
  done
}

stop() {
  local name=$1 dir=$ENGINES/$1
  if [ "$name" = podman4 ] && alive "$dir/pid"; then   # its containers outlive the service; Docker's end with the daemon
    in_net "$name"; podman_line
    "${net[@]}" "${podman[@]}" stop --all --time 0 >/dev/null 2>&1 || true
  fi
  end "$dir/registry.pid"; end "$dir/private.pid"; end "$dir/pid"; end "$dir/containerd.pid"
  leftovers "$dir/"
  ip netns delete "$NS-$name" 2>/dev/null || true
}

clean() {
  local dir=$ENGINES/$1 entry
  stop "$1"
  # Mounts that a killed daemon left behind would keep the folder.
  awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | while read -r entry; do umount -l "$entry" || true; done
  [ ! -d "$dir" ] || find "$dir" -mindepth 1 -maxdepth 1 ! -name bin -exec rm -rf {} +
}

images() {
  local name=$1 root changes answer
  if docker "$name" image inspect busybox:latest web:1 >/dev/null 2>&1; then return; fi
  root=$(mktemp -d); chmod 755 "$root"
  mkdir -p "$root"/{bin,tmp,etc,proc,sys,dev,data}
  cp "$(command -v busybox)" "$root/bin/busybox"
  "$root/bin/busybox" --list | grep -vx busybox | while read -r applet; do ln -sf busybox "$root/bin/$applet"; done
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  # busybox is plain. web has EXPOSE, VOLUME, ENV, LABEL and CMD of its own, for what is "the image's default".
  # Not `docker import`: Podman ignores tag=, so that the tag goes into repo=.
  import() {
    answer=$(tar -C "$root" -c . | curl -sS --fail-with-body --unix-socket "$(socket "$name")" -X POST -T - -H 'Content-Type: application/x-tar' \
      "http://engine/v1.41/images/create?fromSrc=-&repo=$1&$2" 2>&1) || die "$name refuses $1: $answer"
  }
  import busybox:latest 'changes=CMD%20%5B%22sh%22%5D'
  changes='changes=EXPOSE%2080&changes=VOLUME%20%2Fdata&changes=ENV%20MODE%3Dplain&changes=LABEL%20kind%3Ddemo'
  import web:1 "$changes&changes=CMD%20%5B%22httpd%22%2C%22-f%22%2C%22-p%22%2C%2280%22%5D"
  rm -rf "$root"
}

# The command line of its own configuration: plugins are there, the machine's contexts and logins are not.
docker() {
  local name=$1; shift
  DOCKER_CONFIG=$ENGINES/cli DOCKER_HOST=unix://$(socket "$name") "$ENGINES/bin/docker" "$@"
}

# serve NAME PORT FOLDER [AUTH]: a registry on the engine's own 127.0.0.1, if there is none yet.
serve() {
  local dir=$ENGINES/$1 port=$2 folder=$3 auth=${4:-} alive="http://127.0.0.1:$2/v2/"
  # With a password it says 401, which is an answer, too.
  if "${net[@]}" curl -s -o /dev/null "$alive"; then return; fi
  cat >"$dir/$folder.yml" <<CONF
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: "$dir/$folder"}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$port"}
$auth
CONF
  daemon "$dir/$folder.log" "${net[@]}" "$ENGINES/bin/docker-registry" serve "$dir/$folder.yml"
  echo "$daemon_pid" >"$dir/$folder.pid"
  "${net[@]}" curl -s -o /dev/null --retry 50 --retry-delay 1 --retry-connrefused "$alive"
}

registry() {
  local name=$1 dir=$ENGINES/$1 context n answer
  in_net "$name"
  serve "$name" 5000 registry
  # Who signs in is ada, with the password `open sesame`: its bcrypt.
  echo "ada:$ADA" >"$dir/private.htpasswd"
  serve "$name" 5001 private "auth: {htpasswd: {realm: wheelhouse, path: \"$dir/private.htpasswd\"}}"
  if ! "${net[@]}" curl -sf http://127.0.0.1:5000/v2/demo/tags/list >/dev/null; then
    # Layers of random bytes do not compress, so that a pull takes a moment and has a progress to show.
    images "$name"
    context=$(mktemp -d)
    echo 'FROM busybox:latest' >"$context/Dockerfile"
    for n in 1 2 3 4; do
      head -c $((n * 2000000)) /dev/urandom >"$context/layer$n"
      echo "COPY layer$n /layers/" >>"$context/Dockerfile"
    done
    # The old builder: Podman has no other.
    { DOCKER_BUILDKIT=0 docker "$name" build -q -t "$DEMO" "$context" && docker "$name" push -q "$DEMO"; } >"$dir/demo.log" 2>&1 ||
      die "$name does not fill its registry: $(tail -n 5 "$dir/demo.log")"
    docker "$name" rmi "$DEMO" >/dev/null   # so that it can be pulled
    rm -rf "$context"
  fi
  if ! "${net[@]}" curl -sf -u 'ada:open sesame' http://127.0.0.1:5001/v2/secret/tags/list >/dev/null; then
    images "$name"
    docker "$name" tag busybox:latest "$PRIVATE"
    # Not `docker login`: podman's has TLS asked for, whatever its settings say.
    answer=$(curl -sS --unix-socket "$(socket "$name")" -X POST "http://engine/v1.41/images/${PRIVATE%:*}/push?tag=${PRIVATE##*:}" \
      -H "X-Registry-Auth: $(echo -n '{"username":"ada","password":"open sesame"}' | base64 -w0 | tr '+/' '-_')" 2>&1)
    "${net[@]}" curl -sf -o /dev/null -u 'ada:open sesame' http://127.0.0.1:5001/v2/secret/tags/list ||
      die "$name does not fill its private registry: $answer"
    docker "$name" rmi "$PRIVATE" >/dev/null
  fi
  echo "$DEMO"
}

[ $# -gt 0 ] || { sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 2; }
[ "$(id -u)" = 0 ] || die "engines are started by root"
mkdir -p "$ENGINES"
verb=$1; shift
# One at a time: two test runs may start engines in the same moment. `daemon` does not hand the lock on.
case $verb in
  fetch | start | images | registry | stop | clean) exec 9>"$ENGINES/lock"; flock 9 ;;
esac
case $verb in
  fetch) fetch ;;
  start) fetch; for name in "$@"; do start "$name"; done ;;
  images | registry) "$verb" "$1" ;;
  stop | clean) [ $# -gt 0 ] || set -- "${ALL[@]}"; for name in "$@"; do "$verb" "$name"; done ;;
  enter) in_net "$1"; shift; exec "${net[@]}" "$@" ;;
  docker) docker "$@" ;;
  env)
    for name in docker28 docker20 podman4; do echo "export WHEELHOUSE_TEST_${name^^}='$(socket "$name")'"; done
    echo "export WHEELHOUSE_TEST_REGISTRY='$DEMO' WHEELHOUSE_TEST_PRIVATE='$PRIVATE'" ;;
  *) die "unknown word $verb" ;;
esac
