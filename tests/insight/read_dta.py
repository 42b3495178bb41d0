#!/usr/bin/env python3
"""Reads a Stata file (.dta, format 118) by its published layout alone, and compares it with the CSV of the same release.

usage: read_dta.py FILE.dta FILE.csv
"""
import csv
import struct
import sys

MISSING = {'a': '-97', 'b': '-98', 'c': '-99'}


def tagged(data, name, at):
    """Bytes between <name> and </name>, and where the next thing starts."""
    head, tail = f'<{name}>'.encode(), f'</{name}>'.encode()
    assert data[at:at + len(head)] == head, (name, data[at:at + 40])
    end = data.index(tail, at)
    return data[at + len(head):end], end + len(tail)


def text(raw):
    return raw.split(b'\0')[0].decode('utf-8')


def number(raw):
    """A double, or Stata's missing value: .a is 2^1023 + 2^(1023-12), .b twice that step further, and so on."""
    bits = struct.unpack('<Q', raw)[0]
    if bits >= 0x7fe0000000000000 and bits < 0x7ff0000000000000:
        step = (bits - 0x7fe0000000000000) >> 40
        return '.' + ('' if step == 0 else chr(ord('a') + step - 1))
    return struct.unpack('<d', raw)[0]


def read(path):
    data = open(path, 'rb').read()
    assert data.startswith(b'<stata_dta><header><release>118</release><byteorder>LSF</byteorder>'), data[:80]
    variables = struct.unpack('<H', tagged(data, 'K', data.index(b'<K>'))[0])[0]
    rows = struct.unpack('<Q', tagged(data, 'N', data.index(b'<N>'))[0])[0]
    at = data.index(b'<variable_types>')
    types, at = tagged(data, 'variable_types', at)
    types = struct.unpack(f'<{variables}H', types)
    names, at = tagged(data, 'varnames', at)
    names = [text(names[129 * i:129 * i + 129]) for i in range(variables)]
    _, at = tagged(data, 'sortlist', at)
    formats, at = tagged(data, 'formats', at)
    formats = [text(formats[57 * i:57 * i + 57]) for i in range(variables)]
    sets, at = tagged(data, 'value_label_names', at)
    sets = [text(sets[129 * i:129 * i + 129]) for i in range(variables)]
    labels, at = tagged(data, 'variable_labels', at)
    labels = [text(labels[321 * i:321 * i + 321]) for i in range(variables)]
    at = data.index(b'<data>', at) + 6
    table = []
    for _ in range(rows):
        row = []
        for kind in types:
            size = 8 if kind == 65526 else kind
            assert kind == 65526 or kind <= 2045, kind
            raw = data[at:at + size]
            row.append(number(raw) if kind == 65526 else text(raw))
            at += size
        table.append(row)
    assert data[at:at + 7] == b'</data>'
    assert data.endswith(b'</stata_dta>')
    return names, formats, sets, labels, table, data[at:]


def main():
    names, formats, sets, labels, table, rest = read(sys.argv[1])
    with open(sys.argv[2], encoding='utf-8', newline='') as f:
        want = list(csv.reader(f))
    assert names == want[0], (names, want[0])
    assert len(table) == len(want) - 1 > 0
    assert all(labels) and formats[names.index('month')] == '%td'
    assert sets[names.index('network')] == 'network' and b'Dagstructuur' in rest and b'suppressed' in rest
    from datetime import date
    told = 0
    for got, row in zip(table, want[1:]):
        for name, a, b in zip(names, got, row):
            if name == 'month':
                a = date.fromordinal(date(1960, 1, 1).toordinal() + int(a)).isoformat()
            elif isinstance(a, str) and a.startswith('.') and len(a) == 2:
                a = MISSING[a[1]]
            elif isinstance(a, float):
                assert a == float(b), (name, a, b)
                continue
            if isinstance(a, str) and b.startswith("'"):
                b = b[1:]  # the CSV guards what a spreadsheet would take for a formula
            assert a == b, (name, a, b)
        told += row[names.index('told')] == '1'
    print(f'{len(table)} rows, {told} told, as in the CSV')


if __name__ == '__main__':
    main()
