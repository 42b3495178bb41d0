#!/usr/bin/env python3
"""Judges gcovr's JSON: check.py [--list] [--only FOLDER/] coverage.json SOURCE_ROOT

Every branch of the files in strict.txt must be taken and every line run, 90 % of all lines must run. Exceptions
stand in uncovered.md as table rows `| file | code | reason |`: the code is the line's own text (or a part of it),
so that rows survive when lines move. A row that excuses nothing any more is reported, too. For files that are not
strict a row with the code `N lines` excuses so many; without one their lines are told and count in the 90 % only.
--list prints the rows that are missing. --only: of the files of strict.txt only those there were measured."""
import json
import os
import re
import sys

LINES_MIN = 90.0


def read_rows(path):
    rows = []
    for text in open(path, encoding="utf-8"):
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", text.strip())[1:-1]]
        if len(cells) == 3 and cells[0].endswith(".c"):
            code = cells[1].strip("`").replace("\\|", "|")
            rows.append({"file": cells[0], "code": code, "reason": cells[2], "used": 0})
    return rows


def allows(row):
    return re.fullmatch(r"\d+ lines", row["code"])


def missing_of(entry, source, strict):
    """(line number, its text, what is missing) of a file."""
    out = []
    for line in entry["lines"]:
        if line.get("gcovr/noncode"):
            continue
        text = source[line["line_number"] - 1].strip() if line["line_number"] <= len(source) else ""
        branches = [b for b in line.get("branches", []) if not b.get("gcovr/noncode")]
        not_taken = sum(1 for b in branches if b["count"] == 0)
        if line["count"] == 0:
            out.append((line["line_number"], text, "not run"))
        elif strict and not_taken:
            out.append((line["line_number"], text, f"{not_taken} of {len(branches)} branches not taken"))
    return out


def main():
    listing = "--list" in sys.argv
    args = [a for a in sys.argv[1:] if a != "--list"]
    only = ""
    if args[0] == "--only":
        only, args = args[1], args[2:]
    coverage, root = json.load(open(args[0], encoding="utf-8")), args[1]
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "strict.txt"), encoding="utf-8") as listed:
        strict = {line.strip() for line in listed if line[0] not in "#\n" and line.startswith(only)}
    rows = read_rows(os.path.join(here, "uncovered.md"))
    bad, unexplained, listed = [], [], []
    lines, run, branches, taken = 0, 0, 0, 0
    print(f"{'file':44} {'lines':>7} {'run':>7} {'branches':>9} {'taken':>7}")
    for entry in sorted(coverage["files"], key=lambda e: e["file"]):
        name = entry["file"]
        source = open(os.path.join(root, name), encoding="utf-8").read().split("\n")
        code = [l for l in entry["lines"] if not l.get("gcovr/noncode")]
        all_branches = [b for l in code for b in l.get("branches", []) if not b.get("gcovr/noncode")]
        n, r = len(code), sum(1 for l in code if l["count"])
        bn, bt = len(all_branches), sum(1 for b in all_branches if b["count"])
        lines, run, branches, taken = lines + n, run + r, branches + bn, taken + bt
        mark = " *" if name in strict else ""
        print(f"{name:44} {n:7} {100 * r / max(n, 1):6.1f}% {bn:9} {100 * bt / max(bn, 1):6.1f}%{mark}")
        mine = [x for x in rows if x["file"] == name]
        left = []
        for number, text, what in missing_of(entry, source, name in strict):
            row = next((x for x in mine if not allows(x) and x["code"] in text), None)
            if row:
                row["used"] += 1
            else:
                left.append((number, text, what))
        allowance = next((x for x in mine if allows(x)), None)
        if allowance and name not in strict:
            allowance["used"] = len(left)
            if len(left) <= int(allowance["code"].split()[0]):
                left = []
        if name in strict:
            bad += [(name, *x) for x in left]
        elif left and not allowance:
            unexplained.append((name, len(left)))
            listed += [(name, *x) for x in left]
        elif left:
            bad.append((name, 0, f"{len(left)} lines", f"uncovered.md explains {allowance['code']} only"))
    print(f"{'all':44} {lines:7} {100 * run / lines:6.1f}% {branches:9} {100 * taken / branches:6.1f}%")
    for name in sorted(strict - {e["file"] for e in coverage["files"]}):
        bad.append((name, 0, "", "is in strict.txt and was not compiled"))
    for name, number, text, what in bad + (listed if listing else []):
        if listing:
            cell = text.replace("|", "\\|")
            print(f"| {name} | `{cell}` | |")
        else:
            print(f"{name}:{number}: {what}: {text}")
    for name, count in unexplained:
        print(f"note: uncovered.md does not explain {count} lines of {name}")
    for row in rows:
        if not row["used"] and any(e["file"] == row["file"] for e in coverage["files"]):
            print(f"note: uncovered.md excuses nothing with: {row['file']} | {row['code']}")
    if 100 * run / lines < LINES_MIN:
        print(f"only {100 * run / lines:.1f} % of lines, {LINES_MIN} are needed")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
