#!/usr/bin/env bash
# 100,000 guesses at enrolment codes, over the wire: tools/soak --guesses [N] [--build DIR]
set -euo pipefail
# shellcheck source=tools/lib/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/setup.sh"

usage() {
  cat <<'END'
Usage: tools/soak --guesses [N] [--build DIR]

Starts overdrachtd and tries N enrolment codes (default 100000), one connection each. None gets in, 30 a minute are
looked at, an enrolled tablet syncs meanwhile, and an administrator's code works in the minute after.
END
}

n=100000 dir=$ROOT/build
[[ ! ${1:-} =~ ^[0-9]+$ ]] || { n=$1 && shift; }
while [ $# -gt 0 ]; do
  case $1 in
    --build) dir=${2:?--build needs a folder} && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 64 ;;
  esac
  shift
done
build "$dir" "" test_server_guesses
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
exec "$dir/tests/server/test_server_guesses" "$n"
