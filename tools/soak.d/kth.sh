#!/usr/bin/env bash
# Every call fails once, over each main path, and none is left out: tools/soak.d/kth.sh [BUILD, default build] [PATH ...]
# Some 40,000 runs; an hour on one core. Exits 1 at the first that loses something, hangs or leaks.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:-$root/build}
[ $# -eq 0 ] || shift
ninja -C "$build" test_kth >/dev/null
[ -d /dev/shm ] && export TMPDIR=/dev/shm
exec "$build/tests/kth/test_kth" --all "$@"
