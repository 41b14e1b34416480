#!/usr/bin/env bash
# Builds kustomize, helm, kubeconform and kubectl-validate from their Go modules, once for all clones of a user, and prints the
# folder that they are in. Some four minutes of two processors; whoever comes meanwhile waits for it.
#
#   scripts/kubernetes-tools/build.sh [GO]
#
# GO: the Go that builds (1.24 or newer); default: the one on PATH.
set -euo pipefail
cd "$(dirname "$0")"

go=${1:-go}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/switchyard
folder=$cache/kubernetes-tools-$(cat tools.txt build.sh | sha256sum | cut -c 1-16)

mkdir -p "$cache"
exec 8>"$cache/kubernetes-tools.lock"
flock 8
if ! [ -d "$folder" ]; then
  echo 'setup: building kustomize, helm, kubeconform and kubectl-validate from their Go modules, once (some four minutes)' >&2
  scratch=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  for tool in $(grep -v '^#' tools.txt); do
    CGO_ENABLED=0 GOWORK=off GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOBIN=$scratch \
      "$go" install -trimpath -ldflags '-s -w' "$tool" >&2
  done
  chmod 755 "$scratch"
  mv -T "$scratch" "$folder"
fi
echo "$folder"
