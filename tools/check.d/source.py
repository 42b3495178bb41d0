#!/usr/bin/env python3
"""Looks through the sources for what no compiler says. Each finding is one line; exits 1 when there is any.

usage: source.py ROOT CHECK   with CHECK one of functions, files, includes, citations, words, documented
"""
import os
import re
import subprocess
import sys

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 700
COLUMNS_MAX = 110
GENERATED = {'proto/src/dict1.c'}  # made by proto/dict/make_dict.cmake

# Which folders a folder may include from, besides itself: downward only. Folders of tests and tools are free, save
# that nothing includes them.
MAY_INCLUDE = {
    'proto/include': (),
    'proto/src': ('proto/include',),
    'proto/keys': ('proto/include',),
    'server/store': ('proto/include',),
    'server/net': ('proto/include',),
    'server/json': ('proto/include',),
    'server/schema_json': ('proto/include',),
    'server/core': ('proto/include', 'proto/keys', 'server/store'),
    'server/insight': ('proto/include', 'server/store', 'server/core', 'server/json'),
    'server/node': ('proto/include', 'proto/keys', 'server/store', 'server/core', 'server/schema_json'),
    'server/admin': ('proto/include', 'proto/keys', 'server/store', 'server/core', 'server/schema_json',
                     'server/insight', 'server/json'),
    'server/web': ('proto/include', 'server/store', 'server/core', 'server/net', 'server/insight', 'server/json'),
    'server/main': ('proto/include', 'server/store', 'server/core', 'server/node', 'server/net', 'server/web', 'server/admin',
                    'server/insight', 'server/json'),
    'client-c/include': (),
    'client-c/store': ('proto/include', 'client-c/include'),
    'client-c/net': ('proto/include', 'client-c/include'),
    'client-c/import': ('proto/include', 'client-c/include'),
    'client-c/src': ('proto/include', 'proto/keys', 'client-c/include', 'client-c/store', 'client-c/net',
                     'client-c/import'),
    'client-c/cli': ('client-c/include', 'client-c/import'),
}
# sv_net knows the error codes, and nothing else of the protocol.
ONLY_HEADERS = {('server/net', 'proto/include'): {'ov/error.h'}}

# Who may include a library's header.
LIBRARY = {
    'libwebsockets.h': r'(server|client-c)/net/|tests/',
    'lmdb.h': r'(server|client-c)/store/|tests/',
    'readstat.h': r'server/insight/export_readstat\.c$',
    'gsl/': r'server/insight/stats\.c$',
    'msgpack': r'proto/src/mp_(read|write)\.c$|tests/proto/',
}
# proto: bytes in, bytes out. It knows no clock, no files, no sockets, no threads; stdio.h is there to write into memory,
# time.h to write a date out.
PROTO_HEADERS = re.compile(r'^(sys/|unistd\.h|fcntl\.h|pthread\.h|poll\.h|signal\.h|netdb\.h|arpa/|netinet/|'
                           r'lmdb\.h|libwebsockets\.h|jansson\.h|openssl/rand\.h)')
PROTO_CALLS = re.compile(r'(?<![.>\w])(FILE\s*\*|stdin\b|stdout\b|stderr\b|(?:v?f?printf|f?puts|fopen|time|clock|clock_gettime|'
                         r'localtime(?:_r)?|mktime|tzset|'
                         r'gettimeofday|getenv|s?random?|getrandom|getentropy|RAND_(?:priv_)?bytes|arc4random)\s*\()')


def listed(root, *ends):
    """Paths of the project's own files that end so, relative to root: those that git knows, or all where there is no git."""
    if os.path.exists(os.path.join(root, '.git')):
        out = subprocess.run(['git', '-C', root, 'ls-files', '-z'], capture_output=True, check=True).stdout
        paths = [p for p in out.decode().split('\0') if p]
    else:
        paths = [os.path.relpath(os.path.join(d, f), root) for d, _, files in os.walk(root) for f in files]
    return sorted(p for p in paths if p.endswith(ends or ('',)) and os.path.isfile(os.path.join(root, p)))


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as f:
        return f.read()


def blanked(text):
    """The text with comments, strings and characters as spaces; lines stay where they are."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return token.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), text)


def functions(root):
    """Functions longer than a screen."""
    for path in listed(root, '.c', '.h'):
        depth, start, is_code = 0, 0, False
        lines = re.sub(r'^\s*#(?:[^\n]*\\\n)*[^\n]*', lambda m: '\n' * m.group().count('\n'), blanked(read(root, path)),
                       flags=re.M).split('\n')
        head = ''
        for n, line in enumerate(lines, 1):
            for c in line:
                if depth == 0 and c == '{':
                    is_code = bool(re.search(r'\)\s*$', head)) and '=' not in head
                    begins = n - head.lstrip().count('\n')
                    start = begins
                if c == '}' and depth == 1:
                    if is_code and n - start + 1 > FUNCTION_LINES_MAX:
                        name = re.search(r'(\w+)\s*\(', head)
                        yield f'{path}:{start}: {name[1] if name else "?"} has {n - start + 1} lines'
                    head = ''
                depth += (c == '{') - (c == '}')
                if depth == 0:
                    head = '' if c in ';}' else head + c
            if depth == 0:
                head += '\n'


def files(root):
    """Files with too many or too long lines."""
    for path in listed(root, '.c', '.h', '.sh', '.py', '.awk', '.cmake', 'CMakeLists.txt'):
        if path in GENERATED:
            continue
        lines = read(root, path).split('\n')
        if len(lines) - 1 > FILE_LINES_MAX:
            yield f'{path}: {len(lines) - 1} lines'
        if path.endswith(('.c', '.h')):
            for n, line in enumerate(lines, 1):
                if len(line) > COLUMNS_MAX:
                    yield f'{path}:{n}: {len(line)} columns'
                if line != line.rstrip() or '\t' in line:
                    yield f'{path}:{n}: tab, or space at the end'


def folder(path):
    parts = path.split('/')
    return '/'.join(parts[:2]) if len(parts) > 2 else parts[0]


def resolve(headers, path, name):
    """Headers of the project that an #include in path may mean."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    if beside in headers:
        return [beside]
    return [h for h in headers if h == name or h.endswith('/' + name)]


def includes(root):
    """Includes that go upward or across, and libraries where they do not belong."""
    headers = set(listed(root, '.h'))
    for path in listed(root, '.c', '.h'):
        area = folder(path)
        text = read(root, path)
        for n, line in enumerate(text.split('\n'), 1):
            m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not m:
                continue
            name = m[2]
            for library, allowed in LIBRARY.items():
                if (name == library or name.startswith(library + '/') or name == library + '.h') and not re.match(allowed, path):
                    yield f'{path}:{n}: {name} is not for this file'
            if path.startswith(('proto/src', 'proto/include')) and PROTO_HEADERS.match(name):
                yield f'{path}:{n}: proto knows no {name}'
            found = [] if m[1] == '<' else resolve(headers, path, name)
            if m[1] == '"' and not found:
                yield f'{path}:{n}: no header {name} in the project'
            if found and not any(is_below(area, folder(h), name) for h in found):
                yield f'{path}:{n}: {area} includes {found[0]}'
        if path.startswith(('proto/src', 'proto/include')):
            for n, line in enumerate(blanked(text).split('\n'), 1):
                for call in PROTO_CALLS.finditer(line):
                    yield f'{path}:{n}: proto uses {call[1].rstrip("( *")}'


def is_below(area, other, name):
    if area == other:
        return True
    if area.startswith(('tests', 'tools')):
        return area.startswith('tests') and not other.startswith('tools') or not other.startswith('tests')
    if area not in MAY_INCLUDE or other not in MAY_INCLUDE[area]:
        return False
    return name in ONLY_HEADERS.get((area, other), {name})


def citations(root):
    """Requirements of PROTOCOL.md that no code or no test cites, and citations of none."""
    spec = read(root, 'proto/PROTOCOL.md')
    defined = {int(n) for n in re.findall(r'^- \*\*PROTO-(\d+)\*\*', spec, re.M)}
    exempt = {'code': {}, 'test': {}}
    path = os.path.join(root, 'proto/uncited.txt')
    if os.path.exists(path):
        for n, line in enumerate(read(root, 'proto/uncited.txt').split('\n'), 1):
            m = re.match(r'(code|test) PROTO-(\d+) +\S', line)
            if m:
                exempt[m[1]][int(m[2])] = n
            elif line and not line.startswith('#'):
                yield f'proto/uncited.txt:{n}: not "code|test PROTO-n reason"'
    cited = {'code': set(), 'test': set()}
    for source in listed(root, '.c', '.h', '.py', '.sh'):
        side = 'test' if source.startswith('tests/') else 'code'
        if source.startswith('tests/check/') or source.startswith('tools/check'):
            continue
        for n, line in enumerate(read(root, source).split('\n'), 1):
            for number in map(int, re.findall(r'PROTO-(\d+)', line)):
                cited[side].add(number)
                if number not in defined:
                    yield f'{source}:{n}: cites PROTO-{number}, which is not in PROTOCOL.md'
    for side in ('code', 'test'):
        for number in sorted(defined - cited[side] - set(exempt[side])):
            yield f'PROTO-{number} is cited by no {side}'
        for number in sorted(set(exempt[side]) & cited[side]):
            yield f'proto/uncited.txt:{exempt[side][number]}: PROTO-{number} is cited by {side} by now'


# Marks of unfinished work, and paths and folders of one machine.
WORDS = re.compile(r'\bTO' r'DO\b|\bFIX' r'ME\b|\bXX' r'X\b|(?<![\w.])/wo' r'rk\b|\bsha' r'red/|(?<![\w.])/(?:home|root|Users)/|'
                   r'(?<![\w.])/tmp/(?:build|brief)|\bissues show\b')


def words(root):
    """Words that have no place in a finished file."""
    for path in listed(root):
        text = read(root, path)
        if '\0' in text:
            continue
        for n, line in enumerate(text.split('\n'), 1):
            for m in WORDS.finditer(line):
                yield f'{path}:{n}: "{m.group()}"'


PUBLIC = re.compile(r'^(proto/include/|proto/keys/|client-c/include/|server/[a-z_]+/sv_|client-c/(?:import|net)/oc_)')


def documented(root):
    """Exported functions without a comment beside or above them, or above the group of lines they stand in."""
    for path in listed(root, '.h'):
        if not PUBLIC.match(path):
            continue
        text = read(root, path)
        plain = blanked(text).split('\n')
        raw = text.split('\n')
        depth = 0
        for n, line in enumerate(plain):
            is_declared = depth == 0 and re.match(r'[A-Za-z_][\w\s*]*?[\s*]\(?\w+\)?\s*\(', line) and not line.startswith('typedef')
            depth += line.count('{') - line.count('}')
            if not is_declared:
                continue
            first = n
            while first > 0 and raw[first - 1].strip():
                first -= 1
            last = n
            while ';' not in plain[last] and '{' not in plain[last] and last + 1 < len(plain):
                last += 1
            if not any('/*' in r or '*/' in r or '//' in r for r in raw[first:last + 1]):
                name = re.search(r'(\w+)\)?\s*\($', re.match(r'[^(]*(?:\(\w+\)\s*)?\(', line).group())
                yield f'{path}:{n + 1}: {name[1] if name else line.strip()} has no comment'


def main():
    checks = {f.__name__: f for f in (functions, files, includes, citations, words, documented)}
    if len(sys.argv) != 3 or sys.argv[2] not in checks:
        sys.exit(__doc__)
    findings = list(checks[sys.argv[2]](sys.argv[1]))
    for line in findings:
        print(line)
    sys.exit(1 if findings else 0)


if __name__ == '__main__':
    main()
