#!/usr/bin/env bash
# npm test of client-web against the programs of a build: tests/web/run.sh BUILD [name of a test file ...]
# Fetches what the lock file names, when it is not there yet. Without names, or with what to leave out (!name), the
# types are checked first; once is enough. A test that was skipped because a program was not found is a failure here.
set -euo pipefail
# shellcheck source=tools/lib/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/lib/setup.sh"

build=$(cd "$1" && pwd)
shift
web_modules
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cd "$ROOT/client-web"
case ${1:-!} in
  !*) npm run --silent check ;;
esac
OVERDRACHT_BIN=$build node scripts/run-tests.mjs "$@" 2>&1 | tee "$log"
if grep -qE '^(# skipped|ℹ skipped) [1-9]' "$log"; then
  echo "tests were skipped, which none may be where everything is built" >&2
  exit 1
fi
