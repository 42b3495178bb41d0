#!/usr/bin/env bash
# SIGKILL to the real server under load: tools/soak --kill-cycles [N] [--build DIR]
set -euo pipefail
# shellcheck source=tools/lib/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/setup.sh"

usage() {
  cat <<'END'
Usage: tools/soak --kill-cycles [N] [--build DIR]

Starts overdrachtd, lets four tablets push to it without pause and the client library sync in a process of
its own, kills server and client with SIGKILL at a moment that nobody chose, looks at the stores, and starts
again: N times (default 10000), with new data every 100. Every acknowledged op must be stored byte for byte.
END
}

n=10000 dir=$ROOT/build
[[ ! ${1:-} =~ ^[0-9]+$ ]] || { n=$1 && shift; }
while [ $# -gt 0 ]; do
  case $1 in
    --build) dir=${2:?--build needs a folder} && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 64 ;;
  esac
  shift
done
build "$dir" "" test_server_kill
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
exec "$dir/tests/server/test_server_kill" "$n"
