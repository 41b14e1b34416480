#!/usr/bin/env bash
# Runs a command in a network namespace of its own, where all addresses of Pods (10.244.0.0/16), Services (10.96.0.0/16)
# and Nodes (10.0.0.0/24) are local: an API server refuses endpoints on loopback, and a machine's own network stays as it is.
#
#   scripts/kubernetes/in-namespace.sh COMMAND [ARGUMENT...]
#
# Needs unshare (util-linux) and ip (iproute2); without root, user namespaces.
set -euo pipefail

inside='ip link set lo up
for range in 10.244.0.0/16 10.96.0.0/16 10.0.0.0/24; do ip route add local "$range" dev lo; done
export SWITCHYARD_NETWORK_NAMESPACE=1
exec "$@"'

[ $# -gt 0 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
if [ "$(id -u)" = 0 ]; then exec unshare --net -- bash -c "$inside" bash "$@"; fi
exec unshare --net --map-root-user -- bash -c "$inside" bash "$@"
