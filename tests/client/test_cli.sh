#!/usr/bin/env bash
# The real command against the real server: enrol, write, sync, conflicts, imports, failures, and what each says and returns.
#   test_cli.sh OVERDRACHT OVERDRACHTD OVERDRACHT_ADMIN SOURCE_DIR MAKE_CERT
set -u
cli=$1 daemon=$2 admin=$3 source=$4 make_cert=$5
for program in "$cli" "$daemon" "$admin" "$make_cert"; do
  [ -x "$program" ] || { echo "$program is missing" >&2; exit 1; }
done
dir=$(mktemp -d /tmp/overdracht-cli.XXXXXX) || exit 1
data=$dir/data
pids=()
failed=0
export TZ=Europe/Amsterdam HOME=$dir
unset OVERDRACHT_STORE OVERDRACHT_AUTHOR XDG_DATA_HOME

# shellcheck disable=SC2317 # called by the trap
finish() {
  for pid in "${pids[@]:-}"; do
    [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  rm -rf "$dir" "${cert[0]:-}"
}
trap finish EXIT

fail() {
  echo "FAILED line ${BASH_LINENO[1]}: $*" >&2
  sed 's/^/  out: /' "$dir/out" >&2
  sed 's/^/  err: /' "$dir/err" >&2
  failed=$((failed + 1))
  [ $failed -lt 10 ] || exit 1
}

# run STATUS COMMAND...: it must return that. `one` and `two` are the two devices.
run() {
  local want=$1 command=()
  shift
  case $1 in
    one) command=("$cli" --store "$dir/one" --author Kim "${@:2}") ;;
    two) command=("$cli" --store "$dir/two" --author Noor "${@:2}") ;;
    *) command=("$@") ;;
  esac
  timeout 30 "${command[@]}" >"$dir/out" 2>"$dir/err" </dev/null
  local got=$?
  [ $got -eq "$want" ] || fail "exit status $got instead of $want: $*"
}
has() { grep -qF -- "$1" "$dir/out" || fail "not on stdout: $1"; }
hasnt() { ! grep -qF -- "$1" "$dir/out" || fail "on stdout: $1"; }
says() { grep -qF -- "$1" "$dir/err" || fail "not on stderr: $1"; }
silent() { [ ! -s "$dir/err" ] || fail "something on stderr"; }
id() { head -1 "$dir/out"; }

adm() { timeout 30 "$admin" --data "$data" --schema "$source/proto/schema" --quiet "$@"; }

start_server() {
  rm -f "$dir/port"
  "$daemon" --data "$data" --port "${1:-0}" --local-port off --port-file "$dir/port" --schema "$source/proto/schema" "${@:2}" >>"$dir/log" 2>&1 &
  server=$!
  pids+=("$server")
  for _ in $(seq 100); do
    [ -s "$dir/port" ] && break
    sleep 0.05
  done
  port=$(sed -n 's/^port=//p' "$dir/port")
}
stop_server() {
  kill -"${1:-TERM}" "$server"
  wait "$server" 2>/dev/null
}
code() { adm device add "$1" --team "De Linde" | sed -n 's|^code: ||p'; }

# -- without a server ----------------------------------------------------------------------------------------------------------

commands=(enrol add edit retract list show conflicts resolve status sync import export-unsent people clients kinds author verify completion)
run 0 "$cli" --help
silent
for c in "${commands[@]}"; do
  grep -qE "^  .*\b$c\b" "$dir/out" || fail "--help does not name $c"
  grep -qE "^\.(TP|BR?)?.*${c//-/.*}" "$source/client-c/cli/overdracht.1" || fail "the man page does not name $c"
done
for c in "${commands[@]}"; do
  run 0 "$cli" "$c" --help
  awk 'length > 80 || / $/ { exit 1 }' "$dir/out" || fail "a line of $c --help does not fit in 80 columns"
  has "Usage: overdracht $c"
  silent
  run 0 "$cli" help "$c"
  has "Usage: overdracht $c"
  bash -c 'set -- "$@"; grep -qw -- "$1" "$2" && grep -qw -- "$1" "$3"' _ "$c" "$source/client-c/cli/completion/overdracht.bash" \
    "$source/client-c/cli/completion/_overdracht" || fail "completion does not know $c"
done
run 0 "$cli" --version
has "overdracht 0."
run 2 "$cli"
says "Usage: overdracht"
run 2 "$cli" frobnicate
says 'there is no command "frobnicate"'
run 2 "$cli" list --frobnicate
says "there is no option --frobnicate"
run 2 "$cli" list --max
says "--max needs a value"
run 2 "$cli" list --unsent=1
says "--unsent takes no value"
run 2 "$cli" list --quiet=1
says "--quiet takes no value"
run 2 "$cli" list --frobnicate=1
says "there is no option --frobnicate"
run 2 "$cli" -x
says "there is no option -x"
run 0 "$cli" -h
has "Usage: overdracht"
run 2 env -u HOME "$cli" status
says "no folder for the store: give --store DIR"
run 2 "$cli" show
says "expected: overdracht show RECORD"
run 2 "$cli" show a b
says '"b" is too much'
run 2 "$cli" retract abcd
says "a retraction needs --reason TEXT"
run 4 "$cli" status
says "there is no store at $dir/.local/share/overdracht"
[ ! -e "$dir/.local" ] || fail "a failed command made a store"
run 4 "$cli" --json status
has '"error":"not_found"'
has '"exit":4'
silent
run 3 "$cli" --store "$dir/one" enrol ws://sync.example.nl X
says "use wss://sync.example.nl"
run 3 "$cli" --store "$dir/one" enrol sync.example.nl X
says "is no URL such as wss://sync.example.nl/sync"
run 8 "$cli" --store "$dir/one" enrol ws://127.0.0.1:1 ABCD-EFGH-JKMN
says "no connection"
run 12 "$cli" --store "$dir/one" sync
says "not enrolled"
run 0 "$cli" --store "$dir/one" status
has "not enrolled: overdracht enrol URL CODE"
[ "$(stat -c %a "$dir/one")" = 700 ] || fail "the store's folder is open to others"
run 0 "$cli" completion bash
cmp -s "$dir/out" "$source/client-c/cli/completion/overdracht.bash" || fail "completion bash is not the script"
bash -n "$dir/out" || fail "the script is no bash"
run 0 "$cli" completion zsh
cmp -s "$dir/out" "$source/client-c/cli/completion/_overdracht" || fail "completion zsh is not the script"
run 2 "$cli" completion fish

# -- an organisation, two devices --------------------------------------------------------------------------------------------------

{
  adm init && adm organisation add Zorggroep && adm team add "De Linde" && adm participant add Anna --team "De Linde" --pseudonym C-017 &&
    adm participant add "Zoë" --team "De Linde" && adm person add Kim --team "De Linde" && adm person add Noor --team "De Linde"
} >"$dir/out" 2>"$dir/err" || fail "setting up"
start_server
url=ws://127.0.0.1:$port
run 9 one enrol "$url" ABCD-EFGH-JKMN
says "code"
c1=$(code "tablet 1") c2=$(code "tablet 2")
run 0 one enrol "$url" "${c1,,}" --name "tablet 1"
has "enrolled at $url/sync"
run 12 one enrol "$url" "$c2"
says "enrolled already"
run 9 two enrol "$url" "$c1"
run 0 two --json enrol "$url" "$c2"
has '"ok":true'
run 0 one status
has "never synced"
run 0 one sync
has "everything is on the server"
silent
run 0 two sync -q
silent
hasnt "everything"

# -- writing ---------------------------------------------------------------------------------------------------------------------------

run 0 one kinds
has "sleep_check"
run 0 one kinds sleep --lang nl
has "Hoe was de nacht?"
run 0 one kinds --plain
has "sleep"
run 0 one kinds --json
has '"kind":"sleep_check"'
run 0 one kinds team --plain # of what nobody can type not even the name
has "name"
hasnt "commit_key"
run 4 one kinds slaap
says 'no kind "slaap" here; see: overdracht kinds'
run 0 "$cli" -s "$dir/one" kinds --plain
has "sleep"
run 0 one clients
has "Zoë"
hasnt "commit_key"
run 0 one people
has "Noor"
run 4 one add slaap quality=1
says 'no kind "slaap" here'
run 4 one add sleep qualiti=1
says 'sleep has no field "qualiti"'
run 3 one add sleep --client Anna quality=zes
says 'quality: "zes" is not in the code list (1 very poor,'
run 3 one add sleep --client Anna --lang nl quality=zes
says 'Hoe was de nacht?: "zes" staat niet in de lijst'
run 3 one add sleep bed_at="2026-03-29 02:30"
says "clocks go forward from 02:00 to 03:00"
run 3 one add sleep quality=4
says "sleep is about a client: say which one"
run 4 one add sleep client=Piet
says 'no participant "Piet" here'
run 2 one add sleep quality
says '"quality" is not FIELD=VALUE'
run 2 "$cli" --store "$dir/one" add sleep client=Anna
says "who writes this?"
run 0 env OVERDRACHT_AUTHOR=Kim "$cli" --store "$dir/one" add sleep_check client=Zoë checked_at="2026-03-28 23:05" state=slaapt
says "still missing: project,night_date"
run 4 one author Piet
run 0 one author Noor
has Noor
run 0 "$cli" --store "$dir/one" add sleep client=c-017 night_date=2026-03-28 source=1 quality=3 disturbance=geluid,pijn
night=$(id)
run 0 one author ""
run 0 one list
has "on device"
has "quality fair, disturbance noise, pain"
run 0 one list sleep --client Anna --from 28-3-2026 --to 2026-03-28 --lang nl
has "quality redelijk, disturbance geluid, pijn"
run 0 one list sleep --from 2026-03-29
says nothing
run 2 one list --from gister
says 'is no day such as'
for day in 31-2-2026 2026-02-31 2026-13-01 0-1-2026; do # none of them is in the calendar
  run 2 one list --from "$day"
  says "--from \"$day\" is no day such as"
done
run 1 one list --max 1
says "there are more than 1"
run 2 one list --to gister
says 'is no day such as'
run 2 one list --from 7dd
says 'is no day such as'
run 2 one list --max 0
says '--max takes a number from 1 to 1000000, not "0"'
run 0 one list --from 30000d --to today
has "quality fair"
run 0 one list --from 9999d --to 9998d
says nothing
run 0 one list --json --unsent
[ "$(wc -l <"$dir/out")" -eq 2 ] || fail "not one object a line"
has '"state":"device"'
run 0 one show "${night##*-}"
has "on this device only"
has "(Noor, "
run 0 one show "$(cut -c1-40 <<<"$night")"
run 4 one show ffffffff
run 4 one show -- --id
says 'no record "--id" here'
run 0 one status
has "2 on this device only, the oldest from"
hasnt "everything was sent"
run 0 one export-unsent
has '"participant_label": "Zoë"'
[ "$(grep -c '"why": "unsent"' "$dir/out")" -eq 2 ] || fail "not both entries"
run 0 one sync
has "4 sent" # and that two clients were looked at, by whom
adm audit list --json >"$dir/out" 2>"$dir/err" || fail "audit list"
[ "$(grep -o '"type":"offline"[^}]*"who":"Kim"' "$dir/out" | wc -l)" -eq 2 ] || fail "not two lines about whom Kim looked at"
run 0 one status
has "everything was sent; last synced"
has "4 on the server, not yet in a verified backup"
run 0 one list
has "on server"
run 0 one export-unsent
hasnt '"why"'
run 0 one status # who only looked has nothing unsent, and is not told that all is told
has "entries    all were sent; last synced"
hasnt "everything"
[ "$(grep -c "on this device only" "$dir/out")" -eq 1 ] || fail "looks are counted as entries"
has "looks      2 on this device only"
run 0 one --json status
has '"unsent":0'
has '"unsent_entries":0'
has '"looks":2'
run 0 one sync
has "2 sent"
has "everything is on the server"
run 0 one status
has "everything was sent; last synced"
hasnt "looks"
run 0 one --zone UTC list sleep_check
has "checked_at 2026-03-28 22:05"
run 3 one --zone Europe/Utrecht list
says 'no time zone "Europe/Utrecht"'

# -- two people ---------------------------------------------------------------------------------------------------------------------------

run 0 two sync
run 0 two edit "$night" quality=slecht disturbance=!pijn
run 0 one edit "$night" quality=goed disturbance=toilet note="sliep goed"
run 0 one sync
run 0 two sync
run 0 one sync
for t in one two; do
  run 0 $t conflicts
  has "good"
  has "poor"
  run 0 $t show "$night"
  has "conflicts  1"
  has "! quality"
  has "noise, toilet"
done
run 13 one edit "$night" quality=3
says "settle it with resolve"
run 0 one list
has "conflict"
run 3 one resolve "$night" source 1
run 0 two resolve "${night##*-}" quality redelijk
run 0 two sync
has "everything is on the server"
run 0 one sync
run 0 one conflicts
says "no conflicts"
run 0 one show "$night" --json
has '"text_en":"fair"'
run 0 one retract "$night" --reason "wrong client"
run 0 one list sleep
hasnt "${night##*-}"
run 0 one list sleep --retracted
has "retracted"
run 0 one retract "$night" --undo
run 3 one retract "$night" --undo
says "nothing to undo"
run 0 one list sleep
has "${night##*-}"

# -- a text that would drive a terminal -------------------------------------------------------------------------------------------------------

run 0 one edit "$night" note=$'\e]0;x\a line\nnext'
run 0 one show "$night"
has "?]0;x? line / next"
if grep -q $'\e' "$dir/out"; then fail "an escape reaches the terminal"; fi
run 0 one edit "$night" note=$'\u202eomgekeerd \U1f634' # a sign that turns the line round
run 0 one show "$night"
has $'?omgekeerd \U1f634'

# -- what is no text, and a text that does not fit, are told all the same -------------------------------------------------------

for name in $'\xff' "$(printf 'é%.0s' {1..80})" "x$(printf 'é%.0s' {1..80})"; do
  for words in "show" "list --client" "add sleep --client"; do
    # shellcheck disable=SC2086 # several words
    run 4 one --json $words "$name"
    has '"error":"not_found"'
    python3 -c 'import json, sys; json.load(open(sys.argv[1], encoding="utf-8"))' "$dir/out" || fail "no JSON: $words"
  done
  run 2 one --json "$name"
  has '"error":"usage"'
done

# -- on a terminal ------------------------------------------------------------------------------------------------------------

# tty COLUMNS COMMAND...: run it on a terminal of its own; what it shows there is in out.
tty() {
  local columns=$1
  shift
  timeout 30 script -qec "stty cols $columns; $(printf '%q ' "$@")" /dev/null </dev/null >"$dir/out" 2>"$dir/err" || fail "on a terminal: $*"
}
if command -v script >/dev/null; then
  tty 100 "$cli" --store "$dir/one" list sleep
  [ "$(LC_ALL=C.UTF-8 wc -L <"$dir/out")" -eq 100 ] || fail "the longest row is not as wide as the terminal"
  has "source o…"
  tty 200 "$cli" --store "$dir/one" list sleep
  has "quality fair, disturbance noise, toilet"
  hasnt "…"
  run 0 one add sleep_check --client Anna checked_at=now state=2
  tty 80 "$cli" --store "$dir/one" sync
  for word in connecting greeting sending receiving "#] 7 of 7 sent" "done " "everything is on the server"; do has "$word"; done
  tty 80 "$cli" --store "$dir/one" sync -q
  hasnt connecting
fi

# -- imports --------------------------------------------------------------------------------------------------------------------------------------

cat >"$dir/night.map" <<'MAP'
[file]
kind = sleep
[client]
from = "Client"
[field night_date]
type = date
from = "Night"
[field source]
type = code
fixed = 2
[field sol_min]
type = int
from = "Latency"
[field quality]
type = code
from = "Quality"
value "good" = 4
value "bad" = 2
[rows]
key = night_date, source
MAP
cat >"$dir/night.csv" <<'CSV'
Sensor export;
Client;Night;Latency;Quality
Anna;1-3-2026;12;good
Anna;2-3-2026;999;good
Anna;3-3-2026;7;awful
Piet;3-3-2026;7;good
Zoë;3-3-2026;;bad
CSV
run 2 one import "$dir/night.csv"
says "Give --map MAP"
run 1 one import "$dir/night.csv" --map "$dir/night.map" --dry-run
has "would be: 2 new, 0 changed, 0 already here, 3 not imported"
says "night.csv:4: sol_min: 999 is above 600 min"
says "night.csv:5: "
says 'night.csv:6: no participant "Piet" here'
run 0 one list sleep --from 1-3-2026 --to 3-3-2026
says nothing
run 1 one import "$dir/night.csv" --map "$dir/night.map"
has "2 new, 0 changed, 0 already here, 3 not imported"
run 0 one list sleep --from 1-3-2026 --to 3-3-2026
has "sol_min 12 min"
[ "$(wc -l <"$dir/out")" -eq 2 ] || fail "not two entries"
run 1 one import "$dir/night.csv" --map "$dir/night.map" --json
has '"new":0,"changed":0,"same":2,"bad":3'
sed -i 's/;12;/;14;/; s/awful/bad/; s/999/99/; /Piet/d' "$dir/night.csv"
run 3 one import - --map "$dir/night.map"
says "no header found"
timeout 30 "$cli" --store "$dir/one" --author Kim import - --map "$dir/night.map" <"$dir/night.csv" >"$dir/out" 2>"$dir/err" || fail "import of standard input"
has "2 new, 1 changed, 1 already here, 0 not imported"
run 0 one list sleep --from 1-3-2026 --to 1-3-2026
has "sol_min 14 min"
[ "$(wc -l <"$dir/out")" -eq 1 ] || fail "a corrected row made a second entry"
sed 's/from = "Client"/from = option/' "$dir/night.map" >"$dir/option.map"
run 2 one import "$dir/night.csv" --map "$dir/option.map"
says "this map takes the client from the command line: give --client"
sed 's|^kind = sleep|&\ntime_zone = Europe/Utrecht|' "$dir/night.map" >"$dir/zone.map"
run 2 one import "$dir/night.csv" --map "$dir/zone.map"
says 'the map'"'"'s time zone "Europe/Utrecht" is not on this system'
run 2 one import "$dir/night.csv" --map "$dir/night.map" --set note
says '--set "note" is not FIELD=VALUE'
sed 's/^\[rows\]/[field disturbance]\ntype = codes\nfrom = "By"\n&/' "$dir/night.map" >"$dir/codes.map"
printf '%s\n' 'Client;Night;Latency;Quality;By' 'Anna;5-3-2026;8;good;"3,1"' >"$dir/codes.csv"
run 0 one import "$dir/codes.csv" --map "$dir/codes.map" --dry-run
has "disturbance=1,3"
run 0 one import "$dir/codes.csv" --map "$dir/codes.map"
run 0 one list sleep --from 5-3-2026 --to 5-3-2026
has "disturbance noise, pain"
sed 's/sol_min/solmin/' "$dir/night.map" >"$dir/bad.map"
run 4 one import "$dir/night.csv" --map "$dir/bad.map"
says "the map fills sleep.solmin, which the schema here does not have"
run 3 one import "$dir/night.csv" --map "$dir/night.csv"
says "night.csv:1:"
run 3 one import "$dir/night.map" --map "$dir/night.map"
run 2 one import "$dir/none.csv" --map "$dir/night.map"
says "No such file"
run 0 one sync
run 0 one verify
run 0 two sync
run 0 two verify

# -- the maps that are delivered, with files in the shapes they are for: nothing that the parser takes is refused by the schema ------------------------

for pair in actigraphy_comma.csv:actigraphy_intervals diary_semicolon_cp1252.csv:consensus_sleep_diary diary_tab_utf16.txt:consensus_sleep_diary \
  states_semicolon.csv:observed_state_log; do
  # the files have mistakes on purpose, and clients that are not here
  timeout 30 "$cli" --store "$dir/one" --author Kim import "$source/tests/import/data/${pair%%:*}" --map "$source/client-c/import/maps/${pair##*:}.map" \
    --client C-017 --set note="uit ${pair%%:*}" >"$dir/out" 2>"$dir/err"
  has " new, "
  hasnt "0 new, 0 changed"
  if grep -E ':[0-9]+: [a-z_]+: ' "$dir/err" | grep -vF ': note: ' | grep -qvF "no participant"; then fail "the schema refuses what the map makes: $pair"; fi
done
run 0 one list sleep --client C-017
has "note uit actigraphy_comma.csv"
run 0 one sync

# -- one at a time, live, interrupted -------------------------------------------------------------------------------------------------------------

"$cli" --store "$dir/two" --json sync --live >"$dir/live" 2>"$dir/live.err" &
live=$!
pids+=("$live")
for _ in $(seq 400); do # asking the store itself could take its lock before the live sync has it
  [ -s "$dir/live" ] && break
  sleep 0.05
done
run 6 two status
run 0 one add sleep_check --client Anna checked_at=now state=2
run 0 one sync
for _ in $(seq 400); do
  grep -q '"received":1' "$dir/live" && break
  sleep 0.05
done
grep -q '"received":1' "$dir/live" || fail "the entry did not arrive live"
kill -INT "$live"
wait "$live" || fail "an interrupted live sync returns $?"
grep -q '"ok":true' "$dir/live" || fail "no last word of the live sync"
run 0 two list sleep_check
has "awake, calm"

# On a terminal: what it does now, what has come, and for how long it waits once the server is gone.
live_shows() {
  for _ in $(seq 400); do
    grep -qE -- "$1" "$dir/live" && return
    sleep 0.05
  done
  cat "$dir/live" >&2
  fail "a live sync does not show: $1"
}
if command -v script >/dev/null; then
  mkfifo "$dir/keys"
  exec 3<>"$dir/keys"
  script -qec "stty cols 80; $(printf '%q ' "$cli" --store "$dir/two" sync --live)" /dev/null <"$dir/keys" >"$dir/live" 2>"$dir/live.err" &
  live=$!
  pids+=("$live")
  live_shows following
  run 0 one add sleep_check --client Anna checked_at=now state=1
  run 0 one sync
  live_shows 'following .* [0-9]+ received'
  stop_server TERM || fail "the server ended with $?"
  live_shows 'waiting +[0-9]+ s'
  printf '\003' >&3 # Ctrl-C
  wait "$live" || fail "an interrupted live sync returns $?"
  exec 3>&-
  start_server "$port"
  run 0 two sync
fi

# Into a file: a line whenever something has come. A server that ends in order says when to come back.
"$cli" --store "$dir/two" sync --live >"$dir/live" 2>"$dir/live.err" &
live=$!
pids+=("$live")
run 0 one add sleep_check --client Anna checked_at=now state=3
run 0 one sync
live_shows '^0 sent, 1 received$'
stop_server TERM || fail "the server ended with $?"
sleep 0.3
kill -INT "$live"
wait "$live" || fail "an interrupted live sync returns $?"
run 0 two status
has "asks not to come back before"
start_server "$port"
run 0 two sync

# -- the server goes -----------------------------------------------------------------------------------------------------------------------------------

stop_server KILL
run 0 one --json add sleep_check --client Anna checked_at=now state=1
has '"ok":true'
has '"kind":"sleep_check"'
run 8 one sync --once
says "sent again next time"
run 8 one --lang nl sync --once
says "Alles blijft bewaard op deze tablet"
run 8 one sync --wait 2
run 2 one sync --wait soon
says '--wait takes a number from 1 to 86400, not "soon"'
timeout 30 "$cli" --store "$dir/one" sync >"$dir/out" 2>"$dir/err" &
waiting=$!
pids+=("$waiting")
sleep 0.7
# An impatient hand: more signals reach it while it closes its store.
while kill -INT "$waiting" 2>/dev/null; do :; done
wait "$waiting"
[ $? -eq 11 ] || fail "an interrupted sync does not return 11"
says "cancelled; nothing is lost"
run 0 one status
has "1 on this device only"
start_server "$port"
run 0 one sync
has "1 sent"
run 0 one verify

# -- a cloned image: both copies log on, both branches arrive -----------------------------------------------------------------------------------------------

cp -r "$dir/two" "$dir/clone"
run 0 two add sleep_check --client Anna checked_at=now state=3 note=first
run 0 "$cli" --store "$dir/clone" --author Noor add sleep_check --client Anna checked_at=now state=4 note=second
run 0 two sync
run 0 "$cli" --store "$dir/clone" sync
has "this store was found copied or restored"
run 0 "$cli" --store "$dir/clone" status
has "it goes on under a new log; nothing is lost"
run 0 "$cli" --store "$dir/clone" --author Noor add sleep_check --client Anna checked_at=now state=5 note=third
run 0 "$cli" --store "$dir/clone" sync
has "everything is on the server"
run 0 two sync
run 0 two list sleep_check
has "note first"
has "note second"
has "note third"
for t in two clone; do
  run 0 "$cli" --store "$dir/$t" verify
done
rm -r "$dir/clone"

# -- held, revoked ---------------------------------------------------------------------------------------------------------------------------------------

adm person add Piet >"$dir/out" 2>"$dir/err" || fail "person add" # in no team
run 0 one sync
run 0 one --author Piet add sleep_check --client Anna checked_at=now state=1
run 0 one sync
has "1 need attention"
run 0 one list --attention
has attention
held=$(awk 'NR == 1 { print $1 }' "$dir/out")
run 0 one show "$held"
has "attention  "
run 0 one show "$held" --lang nl
has "attention  "
run 0 one status
has "attention  1 held or refused"
run 0 one export-unsent
has '"why": "held"'
adm device revoke "tablet 1" >"$dir/out" 2>"$dir/err" || fail "device revoke"
run 9 one sync
says "revoked"
run 9 one add sleep_check checked_at=now state=1 # what it had received is gone, and it takes nothing new
says "revoked"
run 0 one status
has REVOKED
run 0 two sync

# -- a damaged store --------------------------------------------------------------------------------------------------------------------------------------

cp -r "$dir/two" "$dir/three"
dd if=/dev/urandom of="$dir/three/data.mdb" bs=4096 count=2 conv=notrunc 2>/dev/null
run 5 "$cli" --store "$dir/three" status
rm "$dir/three/store.key"
run 5 "$cli" --store "$dir/three" status
[ -s "$dir/three/data.mdb" ] || fail "a damaged store was emptied"
run 5 "$cli" --store /dev/null/x status

# -- strictly protected: nothing is shown without the server, and nothing is lost ------------------------------------------------------------------------------

adm organisation edit strict_store=1 >"$dir/out" 2>"$dir/err" || fail "organisation edit"
run 0 two sync # from here on
run 0 two status
has "strict     what is known of clients opens with a share of the server"
run 0 two list sleep # each program that shows something asks for the share
has "${night##*-}"
port_was=$port
stop_server TERM || fail "the server ended with $?"
run 8 two list sleep
hasnt "${night##*-}"
says "opens with its server only"
run 8 two show "$night" --lang nl
run 17 two verify
run 0 two add sleep client=Anna night_date=2026-04-02 source=1 note="zonder verbinding geschreven"
closed=$(id)
run 0 two status
has "entries    1 on this device only, the oldest from" # the entry, and who looked since
has "looks      2 on this device only"
run 0 two --json status
has '"unsent":3'
has '"unsent_entries":1'
start_server "$port_was"
run 0 two sync
has "everything is on the server"
run 0 two show "$closed"
has "zonder verbinding geschreven"
adm device revoke "tablet 2" >"$dir/out" 2>"$dir/err" || fail "device revoke"
run 9 two list sleep # it gets no share any more, and wipes itself
says "revoked"
adm organisation edit strict_store=0 >"$dir/out" 2>"$dir/err" || fail "organisation edit"

# -- TLS, with an authority of the organisation's own ---------------------------------------------------------------------------------------------------------

stop_server TERM || fail "the server ended with $?"
mapfile -t cert < <("$make_cert")
start_server 0 --cert "${cert[1]}" --key "${cert[2]}" --name LocalHost
url=wss://LOCALHOST:$port # names are signed in lower case, whoever typed them. PROTO-36
c3=$(code "tablet 3")
run 9 "$cli" --store "$dir/four" enrol "$url" "$c3"
says "the server's certificate is not accepted"
run 3 "$cli" --store "$dir/four" enrol "ws://sync.example.nl:$port" "$c3"
run 0 "$cli" --store "$dir/four" enrol "$url" "$c3" --ca "${cert[1]}"
run 0 "$cli" --store "$dir/four" sync # the authority is remembered
has "everything is on the server"
run 0 "$cli" --store "$dir/four" clients
has Anna
run 2 "$cli" --store "$dir/four" sync --ca "$dir/none.pem"
says "cannot read"

stop_server TERM || fail "the server ended with $?"
[ $failed -eq 0 ] && echo "all as expected"
exit $((failed > 0))
