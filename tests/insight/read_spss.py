#!/usr/bin/env python3
"""Compares what PSPP read from .sav files (written out again by it as NAME.back.csv) with NAME.csv.

usage: read_spss.py NAME...
"""
import csv
import sys


def rows(path):
    with open(path, encoding='utf-8', newline='') as f:
        return list(csv.DictReader(f))


def main():
    for name in sys.argv[1:]:
        ours, theirs = rows(name + '.csv'), rows(name + '.back.csv')
        assert len(ours) == len(theirs) > 0, (len(ours), len(theirs))
        assert list(ours[0]) == [k for k in theirs[0]], (list(ours[0]), list(theirs[0]))
        for a, b in zip(ours, theirs):
            for k, want in a.items():
                got = b[k].strip()
                if k == 'month':  # PSPP writes month/day/year, whatever the variable's format
                    month, day, year = got.split('/')
                    got = f'{year}-{month}-{day}'
                if k in ('release', 'month', 'measure', 'unit', 'code_label', 'network_name'):
                    if want.startswith("'"):
                        want = want[1:]
                    assert got == want, (k, got, want)
                else:
                    assert abs(float(got) - float(want)) < 0.06, (k, got, want)  # F8.1
        print(f'{name}: {len(ours)} rows as in SPSS')


if __name__ == '__main__':
    main()
