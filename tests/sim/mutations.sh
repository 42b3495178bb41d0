#!/usr/bin/env bash
# Is every planted bug found? See usage below.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: mutations.sh SIM_PLANTED [--quick | --only NAME] [--seeds N] [--shrink]

Runs the simulator with each bug of planted.txt switched on, seed by seed, until one fails. Prints a table: the bug,
the seed that found it, what the simulator said. Exits 1 when a bug is not found: then an invariant is missing.

  --quick     those that are found soonest only, as the tests do
  --only NAME one bug
  --seeds N   so many seeds at most for each (default 2000)
  --shrink    tells the shortest story that shows each
TEXT
}

# What a dozen seeds find: these show that planting, finding and reporting work.
quick=(acked-unstored safe-is-acked replaces-ignored gone-forgotten rights-at-greeting-only)

sim='' only='' seeds=2000 fast=no story=no
while [ $# -gt 0 ]; do
  case $1 in
    --quick) fast=yes ;;
    --only) only=${2:?--only needs a name} && shift ;;
    --seeds) seeds=${2:?--seeds needs a number} && shift ;;
    --shrink) story=yes ;;
    --help | -h) usage && exit 0 ;;
    -*) usage >&2 && exit 64 ;;
    *) sim=$1 ;;
  esac
  shift
done
[ -x "$sim" ] || { usage >&2 && exit 64; }

if [ -n "$only" ]; then names=("$only")
elif [ $fast = yes ]; then names=("${quick[@]}")
else mapfile -t names < <("$sim" --plants | cut -f 1)
fi

missed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
printf '%-26s %6s  %s\n' 'planted bug' 'seed' 'what the simulator said'
for name in "${names[@]}"; do
  status=0
  "$sim" --plant "$name" --seeds "1-$seeds" --until-found --quiet >"$work/said" || status=$?
  [ $status -le 1 ] || exit $status
  seed=$(sed -n 's/^seed \([0-9]*\) fails.*/\1/p' "$work/said")
  said=$(grep -o 'FAIL .*' "$work/said" | head -n 1 | sed 's/^FAIL //; s/ (seed [0-9]*, event [0-9]*)$//') || true
  [ -n "$said" ] || said=$(sed -n 's/^seed [0-9]* fails: //p' "$work/said" | head -n 1)
  if [ $status -eq 0 ]; then
    printf '%-26s %6s  not found in %s seeds: an invariant is missing\n' "$name" '-' "$seeds"
    missed=$((missed + 1))
    continue
  fi
  printf '%-26s %6s  %s\n' "$name" "$seed" "$said"
  if [ $story = yes ]; then
    TMPDIR=$work "$sim" --plant "$name" --seed "$seed" --shrink | sed 's/^/    /' || true
  fi
done
printf '%d of %d planted bugs found\n' $((${#names[@]} - missed)) "${#names[@]}"
[ $missed -eq 0 ]
