#!/usr/bin/env bash
# Takes the definitions of the Gateway API (its standard channel) from their Go module, once for all clones of a user, and prints
# the folder that they are in. Go checks the module's sum with its own database.
#
#   scripts/kubernetes-tools/gateway-api.sh [GO]
#
# GO: the Go that fetches (1.24 or newer); default: the one on PATH.
set -euo pipefail
cd "$(dirname "$0")"

go=${1:-go}
module=sigs.k8s.io/gateway-api@v1.4.1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/switchyard
folder=$cache/gateway-api-${module##*@}

mkdir -p "$cache"
exec 8>"$cache/gateway-api.lock"
flock 8
if ! [ -d "$folder" ]; then
  scratch=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  sources=$(cd "$scratch" && GOWORK=off GOTOOLCHAIN=local GOFLAGS= "$go" mod download -json "$module" |
    sed -n 's/^[[:space:]]*"Dir": "\(.*\)",$/\1/p')
  [ -n "$sources" ] || { echo "the Go module $module could not be had" >&2; exit 1; }
  cp "$sources"/config/crd/standard/*.yaml "$scratch/"
  chmod 644 "$scratch"/*.yaml
  chmod 755 "$scratch"
  mv -T "$scratch" "$folder"
fi
echo "$folder"
