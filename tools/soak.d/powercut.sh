#!/usr/bin/env bash
# Power cuts: tools/soak.d/powercut.sh [STATES, default 100000] [BUILD, default build]
# Opens so many states of the server's and of the client's disk; exits 1 when one lost what was acknowledged, or when
# a control was not found out.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${2:-$root/build}
ninja -C "$build" test_powercut >/dev/null
[ -d /dev/shm ] && export TMPDIR=/dev/shm
OVERDRACHT_POWERCUT_STATES=${1:-100000} exec "$build/tests/powercut/test_powercut"
