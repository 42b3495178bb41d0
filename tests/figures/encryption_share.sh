#!/usr/bin/env bash
# What sealing and opening adds to the instructions of the rest: of taking batches of pushes, and of whole sessions (client, ingest and
# catch-up together). Counted by callgrind, not timed; some minutes, so it is run by hand.
#   tests/figures/encryption_share.sh [BUILD_DIR]     exit status 1 when it is more than 25 %
set -euo pipefail
build=${1:-build}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
over=0
for test in core/test_core_ingest_batch history/test_history_sessions; do
  valgrind --tool=callgrind --callgrind-out-file="$out/cg" "$build/tests/$test" >/dev/null 2>&1
  callgrind_annotate --inclusive=yes "$out/cg" >"$out/text"
  # the first line of each function is its inclusive count
  share=$(awk '
    function count(s) { gsub(/,/, "", s); return s + 0 }
    /PROGRAM TOTALS/ { total = count($1) }
    /seal\.c:ov_seal / && !seal { seal = count($1) }
    /seal\.c:ov_open / && !open { open = count($1) }
    END { printf "%.1f", 100 * (seal + open) / (total - seal - open) }' "$out/text")
  echo "$test: encryption adds $share %"
  awk -v s="$share" 'BEGIN { exit !(s > 25) }' && over=1
done
exit "$over"
