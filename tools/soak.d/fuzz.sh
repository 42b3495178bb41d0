#!/usr/bin/env bash
# Long fuzzing: tools/soak.d/fuzz.sh [SECONDS for each target, default 3600] [TARGET ...]
# Needs clang; prints executions, edges and findings for each target, exits 1 when anything was found.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${1:-3600}
[ $# -eq 0 ] || shift
exec "$root/tests/fuzz/run" --time "$seconds" "$@"
