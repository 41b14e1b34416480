# What the scripts of this folder share. Sourced by them, from any working directory; leaves the shell at the root
# of the repository, with the tools that setup installs first on PATH.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=.tools
stamps=$tools/stamps
mkdir -p "$stamps"
export PATH="$PWD/node_modules/.bin:$PATH"

say() { printf 'setup: %s\n' "$*" >&2; }

# fail PROBLEM COMMAND: what is missing, and the command that brings it.
fail() {
  printf 'setup: %s\n' "$1" >&2
  printf 'setup: to mend it, run:  %s\n' "$2" >&2
  exit 1
}

# hash_of FILE...: one hash of the names and contents of these files, in the order given.
hash_of() { sha256sum "$@" | sha256sum | cut -d ' ' -f 1; }

# fresh NAME HASH: true when NAME was last done for the same inputs.
fresh() { [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]; }

# done_for NAME HASH: remembers that NAME is done for these inputs.
done_for() { printf '%s\n' "$2" >"$stamps/$1"; }

# one_at_a_time: waits until no other setup or generation runs in this folder. Calls from within pass.
one_at_a_time() {
  [ "${SWITCHYARD_SETUP_LOCK:-}" = "$PWD" ] && return
  exec 9>"$tools/lock"
  if ! flock --nonblock 9; then
    say 'another setup is running here; waiting for it'
    flock 9
  fi
  export SWITCHYARD_SETUP_LOCK=$PWD
}
