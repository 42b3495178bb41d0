#!/usr/bin/env python3
"""Compiles each header by itself, twice in one unit, with the flags of the sources beside it: it includes what it needs,
and its guard works.

usage: headers.py ROOT COMPILE_COMMANDS
"""
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from source import listed


def flags_by_source(root, path):
    out = {}
    with open(path, encoding='utf-8') as f:
        for entry in json.load(f):
            source = os.path.relpath(os.path.realpath(os.path.join(entry['directory'], entry['file'])), root)
            words = entry['arguments'] if 'arguments' in entry else shlex.split(entry['command'])
            kept = []
            for i, w in enumerate(words):
                if w in ('-I', '-isystem', '-D'):
                    kept += words[i:i + 2]
                elif w.startswith(('-I', '-D', '-isystem', '-std=', '-W')):
                    kept.append(w)
            out[source] = kept
    return out


def neighbours_flags(sources, header):
    """Flags of all sources in the header's folder, or else of the one whose path agrees longest with it."""
    beside = [s for s in sources if os.path.dirname(s) == os.path.dirname(header)]
    chosen = beside or [max(sources, key=lambda s: len(os.path.commonprefix([s, header])))]
    seen, kept = set(), []
    for word in (w for s in chosen for w in sources[s]):
        key = word.split('=')[0] if word.startswith('-D') else word
        if key not in seen:
            seen.add(key)
            kept.append(word)
    return kept


def compile_one(root, header, flags):
    text = f'#include "{os.path.join(root, header)}"\n' * 2
    got = subprocess.run(['cc', '-fsyntax-only', '-x', 'c', *flags, '-I', os.path.join(root, os.path.dirname(header)), '-'],
                         input=text, capture_output=True, text=True, check=False)
    if got.returncode == 0:
        return None
    first = next((line for line in got.stderr.split('\n') if 'error' in line), got.stderr.strip())
    return f'{header}: does not stand alone: {first}'


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root = os.path.realpath(sys.argv[1])
    sources = flags_by_source(root, sys.argv[2])
    built = {os.path.dirname(s).split('/')[0] for s in sources}
    headers = [h for h in listed(root, '.h') if h.split('/')[0] in built]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda h: compile_one(root, h, neighbours_flags(sources, h)), headers)
    findings = [f for f in found if f]
    for line in findings:
        print(line)
    sys.exit(1 if findings else 0)


if __name__ == '__main__':
    main()
