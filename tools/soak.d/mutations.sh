#!/usr/bin/env bash
# Does the simulator find every planted bug? tools/soak --mutations [--only NAME] [--seeds N] [--shrink]
set -euo pipefail
# shellcheck source=tools/lib/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/setup.sh"

dir=$ROOT/build options=()
while [ $# -gt 0 ]; do
  case $1 in
    --build) dir=${2:?--build needs a folder} && shift ;;
    *) options+=("$1") ;;
  esac
  shift
done
case " ${options[*]:-} " in *" --help "* | *" -h "*) exec "$ROOT/tests/sim/mutations.sh" --help ;; esac
build "$dir" "" sim_planted
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
exec "$ROOT/tests/sim/mutations.sh" "$dir/tests/sim/sim_planted" "${options[@]}"
