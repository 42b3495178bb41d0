#!/usr/bin/env python3
"""Runs the tests with the labels wanted under memcheck.

usage: valgrind.py BUILD_DIR SUPPRESSIONS LABELS (a regular expression)
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SECONDS_MAX = 1800  # memcheck is 20 to 50 times slower; what takes longer has no place here


def run(test, suppressions):
    props = {p['name']: p['value'] for p in test.get('properties', [])}
    env = dict(os.environ, OV_VALGRIND='1')
    for pair in props.get('ENVIRONMENT', []):
        key, _, value = pair.partition('=')
        env[key] = value
    command = ['valgrind', '--quiet', '--error-exitcode=99', '--leak-check=full', '--errors-for-leak-kinds=definite',
               '--track-fds=no', '--suppressions=' + suppressions, *test['command']]
    try:
        got = subprocess.run(command, cwd=props.get('WORKING_DIRECTORY'), env=env, capture_output=True, text=True,
                             errors='replace', timeout=SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return f"{test['name']}: still running after {SECONDS_MAX} s"
    if got.returncode == 0:
        return None
    said = [line for line in got.stderr.split('\n') if line.startswith('==') or 'FAILED' in line]
    return '\n'.join([f"{test['name']}: exit {got.returncode}"] + said[:25])


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    shown = subprocess.run(['ctest', '--test-dir', sys.argv[1], '-L', '^(' + sys.argv[3] + ')$', '--show-only=json-v1'],
                           capture_output=True, text=True, check=True).stdout
    tests = json.loads(shown)['tests']
    if not tests:
        print('no tests found')
        sys.exit(1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [f for f in pool.map(lambda t: run(t, sys.argv[2]), tests) if f]
    for text in findings:
        print(text)
    sys.exit(1 if findings else 0)


if __name__ == '__main__':
    main()
