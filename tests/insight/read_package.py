#!/usr/bin/env python3
"""Checks datapackage.json against the CSV files beside it, as a Frictionless reader would.

usage: read_package.py FOLDER
"""
import csv
import hashlib
import json
import os
import sys


def check_value(field, value, missing):
    if value in missing or value == '':
        return
    if field['type'] == 'integer':
        int(value)
    elif field['type'] == 'number':
        float(value)
    elif field['type'] == 'date':
        assert len(value) == 10 and value[4] == value[7] == '-', value
    allowed = field.get('constraints', {}).get('enum')
    assert not allowed or int(value) in allowed, (field['name'], value)


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, 'datapackage.json'), encoding='utf-8') as f:
        package = json.load(f)
    assert package['$schema'] == 'https://datapackage.org/profiles/2.0/datapackage.json'
    names = [r['name'] for r in package['resources']]
    assert len(names) == 8 and len(set(names)) == 8, names
    digest = hashlib.sha256()
    for r in package['resources']:
        assert r['type'] == 'table' and r['path'] == r['name'] + '.csv' and r['encoding'] == 'utf-8'
        raw = open(os.path.join(folder, r['path']), 'rb').read()
        digest.update(raw)
        assert len(raw) == r['bytes'] and 'sha256:' + hashlib.sha256(raw).hexdigest() == r['hash'], r['name']
        schema = r['schema']
        assert schema['$schema'] == 'https://datapackage.org/profiles/2.0/tableschema.json'
        missing = {m['value'] for m in schema['missingValues']}
        assert missing == {'-97', '-98', '-99'}
        rows = list(csv.reader(raw.decode('utf-8').splitlines()))
        assert rows[0] == [f['name'] for f in schema['fields']]
        for row in rows[1:]:
            assert len(row) == len(rows[0])
            for field, value in zip(schema['fields'], row):
                check_value(field, value, missing)
    assert digest.hexdigest() == package['releaseHash']
    print('8 resources fit their schemas')


if __name__ == '__main__':
    main()
