#!/usr/bin/env bash
# Many seeds of the simulator: tools/soak --seeds [N] [--from SEED] [--jobs N] [--build DIR]
set -euo pipefail
# shellcheck source=tools/lib/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/setup.sh"

usage() {
  cat <<'END'
Usage: tools/soak --seeds [N] [--from SEED] [--jobs N] [--build DIR]

Runs N seeds of the simulator (default 10000), N/jobs in each of its processes.

  --from SEED   the first one (default 1; tools/test runs 1-200)
  --jobs N      so many processes (default 1)
  --build DIR   a build folder (default build/; one with sanitizers finds more and takes longer)

A seed that fails is printed with what did not hold. Then:
  DIR/tests/sim/sim --seed SEED --trace     what happens, in words
  DIR/tests/sim/sim --seed SEED --shrink    the shortest history that still shows it
END
}

n=10000 from=1 jobs=1 dir=$ROOT/build
[[ ! ${1:-} =~ ^[0-9]+$ ]] || { n=$1 && shift; }
while [ $# -gt 0 ]; do
  case $1 in
    --from) from=${2:?--from needs a seed} && shift ;;
    --jobs) jobs=${2:?--jobs needs a number} && shift ;;
    --build) dir=${2:?--build needs a folder} && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 64 ;;
  esac
  shift
done
if [[ ! $n$from$jobs =~ ^[0-9]+$ ]] || [ "$n" -eq 0 ] || [ "$jobs" -eq 0 ]; then usage >&2 && exit 64; fi
build "$dir" "" sim

# Each process gets the signal of ctrl-C itself and ends with its sums; this script waits for them.
trap : INT TERM
pids=() status=0
each=$(((n + jobs - 1) / jobs))
for ((first = from; first < from + n; first += each)); do
  last=$((first + each - 1 < from + n - 1 ? first + each - 1 : from + n - 1))
  "$dir/tests/sim/sim" --seeds "$first-$last" --quiet --progress &
  pids+=($!)
done
for pid in "${pids[@]}"; do
  one=0
  wait "$pid" || one=$?
  while [ $one -gt 128 ] && kill -0 "$pid" 2>/dev/null; do one=0; wait "$pid" || one=$?; done
  [ $one -le $status ] || status=$one
done
exit $status
