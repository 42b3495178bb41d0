#!/usr/bin/env bash
# A failing seed is made short: shrink.sh SIM_PLANTED. With a planted bug a few events are left of some hundred, and what
# is told of them ends in the same failure; a seed that holds is not shrunk.
set -euo pipefail
sim=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work

fail() { echo "FAILED: $*" >&2; exit 1; }

status=0
"$sim" --plant safe-is-acked --seeds 1-20 --until-found --quiet >"$work/found" || status=$?
[ $status -eq 1 ] || fail "no seed finds the planted bug"
seed=$(sed -n 's/^seed \([0-9]*\) fails: FAIL safe-lie.*/\1/p' "$work/found")
[ -n "$seed" ] || fail "another failure: $(cat "$work/found")"

status=0
"$sim" --plant safe-is-acked --seed "$seed" --shrink >"$work/story" || status=$?
[ $status -eq 1 ] || fail "a failure that was shrunk ends with $status"
read -r left all < <(sed -n "s/^seed $seed: \([0-9]*\) of \([0-9]*\) events .* still give \"FAIL safe-lie:\":$/\1 \2/p" "$work/story")
[ -n "${all:-}" ] || fail "what is left is not told: $(head -n 1 "$work/story")"
if [ "$left" -eq 0 ] || [ $((left * 5)) -ge "$all" ]; then fail "$left events are left of $all"; fi
[ "$(sed -n '/^  [a-z-]* *[0-9]* [0-9]*$/p' "$work/story" | wc -l)" -eq "$left" ] || fail "the events are not listed"
tail -n 1 "$work/story" | grep -q "^FAIL safe-lie: .*(seed $seed, event [0-9]*)$" || fail "the story ends otherwise"

"$sim" --seed "$seed" --shrink | grep -qx "seed $seed holds: there is nothing to shrink" || fail "a seed that holds"
echo "$left of $all events are left"
