# What the scripts of this folder share; they source it. Leaves the shell at the root of the repository, with the
# tools that npm installed first on PATH.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=.tools
stamps=$tools/stamps
mkdir -p "$stamps"
export PATH="$PWD/node_modules/.bin:$PATH"

say() { printf 'setup: %s\n' "$*" >&2; }

# fail PROBLEM COMMAND: says what is wrong and which command mends it, and ends.
fail() {
  say "$1"
  say "to mend it, run:  $2"
  exit 1
}

# hash_of FILE...: one hash of the names and contents of these files.
hash_of() { sha256sum "$@" | sha256sum | cut -d ' ' -f 1; }

# fresh NAME INPUTS: true when NAME was last done for the same inputs.
fresh() { [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]; }

# done_for NAME INPUTS: remembers that NAME is done for these inputs.
done_for() { printf '%s\n' "$2" >"$stamps/$1"; }

# one_at_a_time: waits until no other setup runs in this folder. The scripts that the holder calls pass.
one_at_a_time() {
  [ "${SWITCHYARD_SETUP_LOCK:-}" = "$PWD" ] && return
  exec 9>"$tools/lock"
  if ! flock --nonblock 9; then
    say 'another setup is running here; waiting for it'
    flock 9
  fi
  export SWITCHYARD_SETUP_LOCK=$PWD
}
