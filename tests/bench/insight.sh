#!/usr/bin/env bash
# The figures of a release beside SQLite, in one run: makes the data, sums, releases a month, asks both by turns.
# usage: tests/bench/insight.sh BUILD [RECORDS [DATA]]     5,000,000 records take some 20 minutes and 12 GB
#        RECORDS 0: DATA is there already
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?usage: tests/bench/insight.sh BUILD [RECORDS [DATA]]} records=${2:-5000000}
data=${3:-}
if [ -z "$data" ]; then
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  data=$dir/data
fi
cmake --build "$build" --target insight-bench overdracht-demo-data >/dev/null
if [ "$records" != 0 ]; then
  "$build/tools/demo-data/overdracht-demo-data" --data "$data" --size "$records" --seed 1 --schema "$root/proto/schema"
fi
echo "load before: $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) processors"
"$build/tests/bench/insight-bench" "$data" "$root/proto/schema" "$(date -u -d '-50 days' +%Y-%m)"
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
