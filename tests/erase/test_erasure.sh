#!/usr/bin/env bash
# A client is erased while tablets are away, with the real programs: what each holder purges and says, that the planted text is then in
# no file, log, backup or store, and that an older backup brings nobody back. Keys are changed beside the running server.
#   test_erasure.sh OVERDRACHT OVERDRACHTD OVERDRACHT_ADMIN SOURCE_DIR
set -u
cli=$1 daemon=$2 admin=$3 source=$4
dir=$(mktemp -d "${TMPDIR:-/tmp}/overdracht-erase.XXXXXX") || exit 1
data=$dir/data
failed=0 server=''
export TZ=Europe/Amsterdam HOME=$dir
unset OVERDRACHT_STORE OVERDRACHT_AUTHOR XDG_DATA_HOME
planted=GeplanteTekstVanMerel
label=MerelMetDeLangeNaam

# shellcheck disable=SC2317 # called by the trap
finish() {
  [ -n "$server" ] && kill -9 "$server" 2>/dev/null && wait "$server" 2>/dev/null
  rm -rf "$dir"
}
trap finish EXIT

fail() {
  echo "FAILED line ${BASH_LINENO[1]}: $*" >&2
  sed 's/^/  out: /' "$dir/out" >&2
  sed 's/^/  err: /' "$dir/err" >&2
  failed=$((failed + 1))
  [ $failed -lt 10 ] || exit 1
}
# run STATUS WHO COMMAND...: WHO is a tablet (one, two, three) or adm.
run() {
  local want=$1 who=$2 command
  shift 2
  if [ "$who" = adm ]; then command=("$admin" --data "$data" --schema "$source/proto/schema" --quiet "$@")
  else command=("$cli" --store "$dir/$who" --author Kim "$@"); fi
  timeout 60 "${command[@]}" >"$dir/out" 2>"$dir/err" </dev/null
  local got=$?
  [ $got -eq "$want" ] || fail "exit status $got instead of $want: $who $*"
}
has() { grep -qF -- "$1" "$dir/out" || fail "not on stdout: $1"; }
hasnt() { ! grep -qF -- "$1" "$dir/out" || fail "on stdout: $1"; }
# says KEY VALUE: in the JSON answer
json() { python3 -c 'import json,sys
j=json.loads(sys.stdin.readlines()[-1])
for k in sys.argv[1].split("."): j=j[int(k)] if k.isdigit() else j[k]
print(j)' "$1" <"$dir/out"; }
says() { [ "$(json "$1")" = "$2" ] || fail "$1 is $(json "$1"), not $2"; }
# clean WHAT TEXT...: in none of these files, as it is or in UTF-16
clean() {
  local what=$1 text found
  shift
  for text in "$@"; do
    # shellcheck disable=SC2086 # several files
    found=$(grep -rlaF -- "$text" $what 2>/dev/null)
    [ -z "$found" ] || fail "$text stands in $found"
  done
}
start_server() {
  rm -f "$dir/port"
  "$daemon" --data "$data" --port "${1:-0}" --local-port off --port-file "$dir/port" --schema "$source/proto/schema" \
    --log debug >>"$dir/log" 2>&1 &
  server=$!
  for _ in $(seq 600); do
    [ -s "$dir/port" ] && break
    sleep 0.05
  done
  port=$(sed -n 's/^port=//p' "$dir/port")
}
stop_server() {
  kill -"${1:-TERM}" "$server"
  wait "$server" 2>/dev/null
  server=''
}
enrol() {
  run 0 adm device add "$1" --team Beuk
  run 0 "$1" enrol "ws://127.0.0.1:$port/sync" "$(sed -n 's|^code: ||p' "$dir/out")" --name "tablet $1"
  run 0 "$1" sync
}

# -- a team at work ------------------------------------------------------------------------------------------------------------
for command in init "organisation add Zorggroep" "team add Beuk" "person add Kim --team Beuk" \
  "participant add $label --team Beuk" "participant add Bert --team Beuk"; do
  # shellcheck disable=SC2086 # words of a command
  run 0 adm $command
done
start_server
for tablet in one two three; do enrol $tablet; done
run 0 one add sleep_check --client $label checked_at=now state=2 note="$planted"
run 0 one add consent --client $label purpose=3 given_by=1 given_on=2026-01-05 form_version=v1 valid=yes
run 0 one add sleep_check --client Bert checked_at=now state=2 note=BertBlijft
run 0 one sync
run 0 two sync
run 0 two list sleep_check --client $label
run 0 two add sleep_check --client $label checked_at=now state=3 note="${planted}Onverzonden" # and goes out of reach
for f in "$data" "$dir/one" "$dir/two"; do clean "$f" "$planted" "$label"; done # sealed from the start
run 0 adm participant copy $label --out "$dir/copy.html"
grep -q "$planted" "$dir/copy.html" || fail "the access copy lacks the entry"
grep -q "$label" "$dir/copy.html" || fail "the access copy lacks the client"
for text in 'Wie heeft dit gezien' 'Kim, care_staff' 'ontving gegevens op een apparaat' 'schreef iets op'; do
  grep -q "$text" "$dir/copy.html" || fail "the access copy lacks: $text"
done
run 0 adm audit list --participant $label
has 'participant copy'
run 0 adm audit export --participant $label --json
grep -q '"consent_profile": *\["research"\]' "$dir/out" || fail "no line tells the consent of that moment"
grep -q BertBlijft "$dir/copy.html" && fail "the access copy holds another's entry"
[ "$(stat -c %a "$dir/copy.html")" = 600 ] || fail "the access copy is for others"
rm "$dir/copy.html"
run 0 adm backup "$dir/b1"
run 0 adm backup-keys "$dir/k1"
run 0 adm backup-epochs "$dir/e1"

# -- erased --------------------------------------------------------------------------------------------------------------------
run 0 adm --json erase $label --reason "verzoek" --dry-run
says records 3
run 0 one list sleep_check --client $label # nothing happened yet
has "$(date +%Y)"
run 0 adm --json erase $label --reason "verzoek van 3 maart"
says records 3
run 3 adm erase $label --reason "verzoek"
run 0 adm participant list
hasnt $label
has Bert
run 0 adm --json erasure list
says items.0.holders 3
says items.0.waiting 3

run 0 one sync
run 0 adm --json erasure list
says items.0.purged 1
says items.0.waiting 2
run 0 two sync # its unsent entry arrives as its proof only
run 0 adm erasure list
gone=$(grep -oE '[0-9a-f]{32}-[0-9]+-[0-9a-f]{8}' "$dir/out" | head -1)
run 0 adm audit list --participant "$gone" --type erase
has 'request: keys destroyed'
run 0 adm --json erasure show "$gone"
says reason "verzoek van 3 maart"
[ "$(grep -o '"purged"' "$dir/out" | wc -l)" = 2 ] || fail "two tablets have purged"
grep -q '"waiting"' "$dir/out" || fail "one tablet was not seen"
for tablet in one two; do
  run 4 $tablet list sleep_check --client $label
  run 0 $tablet list sleep_check --client Bert
  run 0 $tablet verify
  run 0 $tablet status
  run 0 $tablet export-unsent
  cp "$dir/out" "$dir/unsent.$tablet"
  clean "$dir/$tablet" "$planted" "$label"
  [ ! -e "$dir/$tablet/rekey" ] || fail "the change of keys was not finished"
done
run 0 adm verify
run 0 adm dump --out "$dir/dump.jsonl"
clean "$dir/dump.jsonl $dir/log $dir/unsent.one $dir/unsent.two $data" "$planted" "$label"
grep -q BertBlijft "$dir/dump.jsonl" || fail "Bert is gone"
enrol four # a new tablet never had anything: it gives no receipt
run 0 adm --json erasure list
says items.0.holders 3

# -- keys changed beside the running server, and killed in between -------------------------------------------------------------
cp "$data/master.key" "$dir/old-master"
run 0 adm key rotate --master
cmp -s "$data/master.key" "$dir/old-master" && fail "the master key is the old one"
[ ! -e "$data/master.key.new" ] || fail "the next key was left beside it"
run 0 three list sleep_check --client Bert
stop_server KILL
start_server "$port"
run 0 one sync
run 0 adm verify
stop_server

# -- an older backup, with its own keys: nobody comes back ---------------------------------------------------------------------
run 0 adm restore "$dir/b1"
run 0 adm dump --out "$dir/dump2.jsonl"
clean "$dir/dump2.jsonl" "$planted" "$label"
run 8 adm restore "$dir/b1" --keyring "$dir/k1"
mkdir "$dir/new"
cp "$dir/k1/master.key" "$dir/new/master.key" # everything is lost; what was saved before the erasure is put back, its epoch keys too
cp "$data/erasures" "$dir/b1/erasures"        # the list that lies beside the backups
data=$dir/new
run 0 adm restore "$dir/b1" --keyring "$dir/k1" --epochs "$dir/e1"
run 0 adm dump --out "$dir/dump3.jsonl"
clean "$dir/dump3.jsonl $dir/new" "$planted" "$label"
grep -q BertBlijft "$dir/dump3.jsonl" || fail "Bert was not brought back"
run 0 adm verify
exit $((failed > 0))
