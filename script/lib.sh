# Shared by the scripts here; sourced, never run. Sets `root` and enters it, and offers a few words to print.
# shellcheck shell=bash
self="$(cd "$(dirname "$0")" && pwd -P)/$(basename "$0")"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root" || exit 1
# Used by the scripts that source this.
# shellcheck disable=SC2034
python="$root/.venv/bin/python"

say() { printf '%s\n' "$*"; }
note() { printf '  %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}
misused() {
  printf '%s: %s Try --help.\n' "$(basename "$0")" "$*" >&2
  exit 2
}

# The comment block at the top of a script is its help.
usage() { sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$self"; }
