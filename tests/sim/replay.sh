#!/usr/bin/env bash
# One seed is one history: replay.sh SIM runs three seeds twice, in different folders, and compares all that they
# tell; and looks at what --help and wrong use say.
set -euo pipefail
sim=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

for seed in 3 14 159; do
  mkdir -p "$work/one" "$work/another/folder"
  TMPDIR=$work/one "$sim" --seed $seed --trace >"$work/first" || fail "seed $seed"
  TMPDIR=$work/another/folder "$sim" --seed $seed --trace >"$work/second" || fail "seed $seed, again"
  cmp "$work/first" "$work/second" || fail "seed $seed tells another story the second time"
  [ "$(wc -l <"$work/first")" -gt 200 ] || fail "seed $seed tells too little"
  grep -q "^seed $seed: [0-9a-f]\{64\}$" "$work/first" || fail "seed $seed gives no hash"
done
TMPDIR=$work "$sim" --seeds 3-4 | tail -n 2 | head -n 1 | grep -qx '2 seeds, 0 failed' || fail "sums"
[ -z "$(find "$work" -name 'overdracht-sim-*')" ] || fail "folders are left behind"
"$sim" --help | grep -q -- --shrink || fail "--help"
for wrong in "" "--seed" "--seed x" "--seeds 1-x" "--seed 1 --tablets 99" "--seed 1 more" "--seed 1 --plant none"; do
  status=0
  # shellcheck disable=SC2086 # words are meant
  "$sim" $wrong >/dev/null 2>&1 || status=$?
  [ $status -eq 64 ] || fail "'sim $wrong' ends with $status, not 64"
done
echo "the same seed tells the same story"
