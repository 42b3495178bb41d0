#!/bin/bash
# The demonstration data is what it claims to be: whole, the same again, and never over somebody's data.
# Usage: demo_data_test.sh GENERATOR ADMIN SCHEMA_DIR
set -euo pipefail
generator=$1 admin=$2 schema=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'demo_data_test: %s\n' "$*" >&2
  exit 1
}
make() { "$generator" --schema "$schema" --json "$@"; }
# A number of the summary.
of() { sed -n "s/.*\"$2\":\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p" <<<"$1"; }
is() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }
some() { [ "$2" -gt 0 ] || fail "there is no $1"; }

first=$(make --data "$work/a" --seed 7 --until 2026-04-03 --jobs 2)
again=$(make --data "$work/b" --seed 7 --until 2026-04-03 --jobs 1)
other=$(make --data "$work/c" --seed 8 --until 2026-04-03 --orgs 2)
is "the same seed, made again on one thread" "$(of "$again" digest)" "$(of "$first" digest)"
cmp "$work/a/master.key" "$work/b/master.key" || fail "keys differ under one seed"
[ "$(of "$other" digest)" != "$(of "$first" digest)" ] || fail "another seed gives the same data"

# Without a seed the keys are real.
make --data "$work/d" --orgs 1 --until 2026-04-03 >"$work/d.json"
make --data "$work/e" --orgs 1 --until 2026-04-03 >"$work/e.json"
! cmp -s "$work/d/master.key" "$work/e/master.key" || fail "two master keys are equal without a seed"
is "the stories without a seed" "$(of "$(cat "$work/d.json")" log_records)" "$(of "$(cat "$work/e.json")" log_records)"

is organisations "$(of "$first" organisations)" 26
is projects "$(of "$first" projects)" 28
is "theme networks" "$(of "$first" theme_networks)" 7
is technologies "$(of "$first" technologies)" 55
for what in open_conflicts held retracted possible_doubles edits log_records; do some "$what" "$(of "$first" "$what")"; done

for folder in a c; do
  "$admin" --data "$work/$folder" --schema "$schema" --quiet verify >"$work/verify" || fail "verify of $folder: $(cat "$work/verify")"
done

# Other data is left alone; an empty folder is not other data.
mkdir "$work/full" "$work/empty"
echo mine >"$work/full/file"
! make --data "$work/full" 2>/dev/null || fail "wrote into a folder that holds other data"
is "the file there" "$(cat "$work/full/file")" mine
make --data "$work/empty" --orgs 1 >/dev/null
! make --data "$work/a" 2>/dev/null || fail "wrote over demonstration data"

# What an interrupted run left is cleared away; a folder without its mark is not.
mkdir "$work/f.making"
! make --data "$work/f" --orgs 1 2>/dev/null || fail "took a folder that is not its own"
touch "$work/f.making/demo-data.unfinished"
make --data "$work/f" --orgs 1 >/dev/null
[ ! -e "$work/f.making" ] || fail "left its working folder behind"

for wrong in "--size 0" "--size 7x" "--size decade" "--orgs 0" "--orgs 456" "--until 2026-02-30" "--seed -1" "--jobs 9" "extra" "--bogus"; do
  status=0
  # shellcheck disable=SC2086 # words
  "$generator" --data "$work/g" $wrong 2>/dev/null || status=$?
  is "exit status of $wrong" $status 2
done
