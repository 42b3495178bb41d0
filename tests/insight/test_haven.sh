#!/usr/bin/env bash
# The exports that insight_release left behind, read by R with haven. Without R there is nothing to test: it says so,
# and ctest counts it as skipped.
# usage: test_haven.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if ! command -v Rscript >/dev/null; then
  echo "SKIPPED: R is not installed (r-base-core and r-cran-haven)"
  exit 77
fi
LC_ALL=C.UTF-8 Rscript --vanilla "$here/read_haven.R" "$1" \
  sleep sleep_check day_structure social_contact tech_use goal remote_care paired
