#!/usr/bin/env bash
# Builds the programs of a Kubernetes control plane from their Go module, once for all clones of a user, and prints the
# folder that they are in. Some five minutes of two processors; whoever comes meanwhile waits for it.
#
#   scripts/kubernetes/build.sh [GO]
#
# GO: the Go that builds (1.24 or newer); default: the one on PATH.
set -euo pipefail
cd "$(dirname "$0")"

go=${1:-go}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/switchyard
folder=$cache/kubernetes-$(cat go.mod go.sum */main.go | sha256sum | cut -c 1-16)

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
if ! [ -d "$folder" ]; then
  echo 'setup: building the Kubernetes control plane from its Go module, once (some five minutes)' >&2
  scratch=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  CGO_ENABLED=0 GOWORK=off GOFLAGS='-mod=readonly -buildvcs=false' \
    "$go" build -trimpath -ldflags '-s -w' -o "$scratch/" ./... >&2
  chmod 755 "$scratch"
  mv -T "$scratch" "$folder"
fi
echo "$folder"
