#!/usr/bin/env bash
# Releases and exports end to end: demonstration data, overdracht-admin, and readers that are not ours (PSPP, Python).
# usage: test_release.sh ADMIN DEMO_DATA SOURCE_DIR KEEP      (KEEP: the exports stay there, for other readers)
set -euo pipefail

admin=$1 demo=$2 source=$3 keep=$4
here=$source/tests/insight
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
A() { "$admin" --data "$dir/data" --schema "$source/proto/schema" --json "$@"; }
# refused TEXT command...: it must fail, and say TEXT.
refused() {
  local text=$1 out
  shift
  if out=$(A "$@" 2>&1); then fail "not refused: $*"; fi
  [[ $out == *"$text"* ]] || fail "$*: $out"
}
field() { jq -er "$@"; }

"$demo" --data "$dir/data" --size 40000 --until 2026-03-31 --seed 11 --schema "$source/proto/schema" >/dev/null

# -- bad input -----------------------------------------------------------------------------------------------------
refused 'is no month' release make 2026-13
refused 'is no month' release make march
refused 'is not closed' release make "$(date -u +%Y-%m)"
refused 'network, network_type' release make 2026-03 --breakdown organisation
refused 'nothing was released yet' release show
refused 'there is no release' export 2026-03 sleep --out "$dir/x.csv"
refused 'sleep_check' export 2026-03 naps --out "$dir/x.csv"
refused 'codebook as csv or html' export 2026-03 codebook --format sav --out "$dir/x.sav"

# A network's name that a spreadsheet would take for a formula.
A record edit Nachtrust --kind theme_network 'name==cmd|"/c calc"!A1, of '"'"'niet' >/dev/null

# -- a month without enough people is released, empty, and says so ------------------------------------------------------
A release make 2020-02 >"$dir/empty.json"
[ "$(field .told <"$dir/empty.json")" = 0 ] || fail 'an empty month tells something'
field '.notes[] | select(contains("too few people"))' <"$dir/empty.json" >/dev/null

# -- a release ---------------------------------------------------------------------------------------------------------
A release make 2026-03 >"$dir/made.json" || fail "$(cat "$dir/made.json")"
told=$(field .told <"$dir/made.json")
hash=$(field .hash <"$dir/made.json")
[ "$told" -gt 100 ] || fail "only $told cells are told"
A release shares 2026-03 | field '.items[] | select(.what == "a measure, by network") | .percent > 50' >/dev/null
A release recount | field '.differing == 0 and .checked > 1000' >/dev/null

# What changed since the release before is written down with it.
A release list | field '[.items[].release] == ["2020-02", "2026-03"] and .items[0].changed == null' >/dev/null
A release list | field '.items[1].changed | .since == "2020-02" and .cells.sleep.new == .cells.sleep.told and
  .cells.sleep.told > 10 and ([.cells[].gone] | add) == 0 and .networks == [] and .forms == []' >/dev/null

# Every hidden cell has its reason in words, in both languages.
cell=$(A release show 2026-03 --all | field '[.items[] | select(.state != "shown")][0].cell')
A release explain "$cell" --release 2026-03 | field '(.why | length > 10) and (.why_nl | length > 10) and .rule >= 1' >/dev/null
refused 'has no cell' release explain 'sleep_se:1@network 98' --release 2026-03

# -- what was released does not change ------------------------------------------------------------------------------------
export_files() { # FOLDER FILE...
  local folder=$1 file
  mkdir -p "$folder"
  shift
  for file in "$@"; do A export 2026-03 "${file%.*}" --format "${file#*.}" --out "$folder/$file" >/dev/null; done
}
some=(sleep.csv sleep.sav sleep.dta datapackage.json)
export_files "$dir/one" "${some[@]}" {sleep_check,day_structure,social_contact,tech_use,goal,remote_care,paired}.{csv,sav,dta} \
  codebook.csv codebook.html
rm -rf "$keep" && cp -r "$dir/one" "$keep"
A release page --network 3 --out "$dir/page.json" >/dev/null
refused 'no such theme network' release page --network 77 --out "$dir/x.json"
# Whatever people write, a page opens with 100 kB at most: what is last on it goes, never a figure.
python3 - >"$dir/lessons.csv" <<'PY'
import csv, sys
out = csv.writer(sys.stdout)
out.writerow(['number', 'title', 'body'])
for n in range(10, 100):
    out.writerow([n, '"' * 180 + str(n), '"' * 900])
PY
A record import lesson "$dir/lessons.csv" >/dev/null
A release page --network 3 --out "$dir/full.json" >/dev/null
refused 'File exists' export 2026-03 sleep --out "$dir/one/sleep.csv"
organisation=$(A organisation list | field '.items[0].organisation')
# Of several clients, since not everybody gave consent.
for night in $(A record list sleep --organisation "$organisation" --from 2026-03-20 --limit 8 | field '.items[].record'); do
  A record edit "$night" --organisation "$organisation" quality=1 sol_min=7 >/dev/null
done
again=$(A release make 2026-03)
[ "$(field .hash <<<"$again")" = "$hash" ] || fail 'a late entry changed the hash'
[[ $again == *'does not change'* ]] || fail "$again"
export_files "$dir/two" "${some[@]}"
for file in "${some[@]}"; do cmp "$dir/one/$file" "$dir/two/$file" || fail "a late entry changed $file"; done
A release recount | field '.summed >= 1 and .differing == 0' >/dev/null

# A network that was renamed is told with the next month, and a cell that was told may be told no more.
A record edit Dagstructuur --kind theme_network 'name=Structuur van de dag' >/dev/null
A release make 2026-02 >/dev/null
A release list | field '.items[1].release == "2026-02" and .items[1].changed.since == "2020-02" and
  .items[1].changed.networks[0].name == "Structuur van de dag" and .items[1].changed.networks[0].what == "changed"' >/dev/null

# Another breakdown of the same month is a supplement; what overlaps the changed night is kept hidden.
A release make 2026-03 --breakdown network_type | field '.release == "2026-03.2"' >/dev/null
A release show 2026-03.2 --all --measure sleep_sol |
  field '[.items[] | select(.cell == "sleep_sol:1@type 1") | .state][0] == "changed"' >/dev/null
A release show 2026-03.2 --all --measure tech_days_week |
  field '[.items[] | select(.cell == "tech_days_week@all") | .state][0] == "shown"' >/dev/null

# What helps and hinders is of the release too: a theme is told once three organisations named it by the month's end,
# and what is written down afterwards changes no page that was made.
name_theme() { # ORGANISATION DAY
  local project
  project=$(A record list project --organisation "$1" | field '.items[0].record')
  A record add barrier --organisation "$1" "project=$project" theme=5 effect=2 "noted_on=$2" >/dev/null
}
barriers() { # RELEASE
  rm -f "$dir/barriers.json"
  A release page --release "$1" --network 3 --out "$dir/barriers.json" >/dev/null
  field -c '[.barriers[] | [.theme, .effect]]' <"$dir/barriers.json"
}
name_theme 'Organisatie 01' 2020-03-31
name_theme 'Organisatie 01' 2020-03-31
name_theme 'Organisatie 02' 2020-03-31
name_theme 'Organisatie 03' 2020-04-01
A release make 2020-03 >/dev/null
[ "$(barriers 2020-03)" = '[]' ] || fail 'two organisations are told of'
A release make 2020-04 >/dev/null
[ "$(barriers 2020-04)" = '[[5,"helps"]]' ] || fail "three organisations are not told of: $(barriers 2020-04)"
name_theme 'Organisatie 04' 2020-02-01
[ "$(barriers 2020-02)" = '[]' ] || fail 'a page that was made has changed'

# -- readers that are not ours -----------------------------------------------------------------------------------------------
cd "$dir/one"
python3 "$here/read_package.py" .
for d in sleep tech_use paired; do python3 "$here/read_dta.py" "$d.dta" "$d.csv"; done
for d in sleep goal paired; do
  cat >"$d.sps" <<SPS
GET FILE='$d.sav'.
DISPLAY DICTIONARY.
SAVE TRANSLATE /OUTFILE='$d.back.csv' /TYPE=CSV /FIELDNAMES /REPLACE /MISSING=IGNORE /CELLS=VALUES.
DESCRIPTIVES VARIABLES=value.
SPS
  pspp -O format=txt -o "$d.txt" "$d.sps" || fail "PSPP cannot read $d.sav: $(cat "$d.txt")"
done
python3 "$here/read_spss.py" sleep goal paired
for text in suppressed Dagstructuur Nominal Scale 'User-missing value'; do
  grep -qi "$text" sleep.txt || fail "SPSS shows no \"$text\""
done

# Formulas are no formulas any more, and come back whole.
python3 - sleep.csv <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], encoding='utf-8', newline='')))
names = {r['network_name'] for r in rows if r['network'] == '1'}
assert names == {"'=cmd|\"/c calc\"!A1, of 'niet"}, names
assert not any(v[:1] in '=+@\t\r' and v for r in rows for v in r.values())
assert names.pop()[1:] == '=cmd|"/c calc"!A1, of \'niet'
for r in rows:
    if r['told'] == '0':
        assert all(r[k] == '-97' for k in ('clients', 'organisations', 'value', 'sd', 'conflicts_pct')), r
    else:
        assert int(r['clients']) >= 10 and int(r['clients']) % 5 == 0 and int(r['organisations']) >= 3, r
PY
# Every figure of the page is one of the exports, and what one hides the other hides.
python3 - ../page.json <<'PY'
import csv, json, os, sys
assert os.path.getsize(sys.argv[1]) <= 100000
page = json.load(open(sys.argv[1], encoding='utf-8'))
assert page['release']['id'] == '2026-03' and page['network']['number'] == 3
assert page['hidden']['nl'] == 'te weinig mensen' and ' van 5–6' in page['stories']['text_nl'] and page['lessons']

def row(dataset, **want):
    rows = [r for r in csv.DictReader(open(dataset + '.csv', encoding='utf-8', newline=''))
            if all(r[k] == str(v) for k, v in want.items())]
    assert len(rows) == 1, (want, len(rows))
    return rows[0]

def same(cell, r):
    assert cell.get('hidden', False) == (r['told'] == '0'), (cell, r)
    for k in ('clients', 'value', 'sd'):
        assert k not in cell or float(cell[k]) == float(r[k]), (k, cell, r)
    return 'hidden' not in cell

full = json.load(open('../full.json', encoding='utf-8'))
assert 90000 < os.path.getsize('../full.json') <= 100000, os.path.getsize('../full.json')
assert len(page['lessons']) < len(full['lessons']) < len(page['lessons']) + 90
for part in ('release', 'paired', 'goals', 'technology', 'stories', 'barriers'):
    assert full[part] == page[part], part

# Stories, lessons and experts are of today; what helps and hinders is of the release.
assert page['barriers'] and all(b['nl'] and b['en'] and b['effect'] in ('helps', 'hinders') for b in page['barriers'])
assert [x['name'] for x in page['experts']] == ['Expert 03'], page['experts']
assert page['experts'][0]['organisation'] == 'Organisatie 03'

told = 0
for measure, key in (('tech_days_week', 'days_week'), ('tech_incidents', 'incidents'), ('tech_days_total', 'days_total')):
    told += same(page['technology'][0][key], row('tech_use', measure=measure, network=3))
for cell in page['goals']['attained']:
    told += same(cell, row('goal', measure='goal_attained', network=3, scale=cell['scale']))
for cell in page['goals']['scores']:
    told += same(cell, row('goal', measure='goal_score', level=0, scale=cell['scale'], code=cell['code']))
assert told > 5, told
PY
# Nothing in them comes from a person: no free text, and no name of anybody.
if grep -il -e 'merel' -e 'salie' -e 'woning' -- *.csv *.html *.json; then fail 'a name is in an export'; fi
grep -q 'sleep_se' codebook.html && grep -q '^missing,,,-97,' codebook.csv
echo "release $hash: $told cells told"
