#!/usr/bin/env python3
"""Brings comments within the columns, where clang-format would break the code beside them or their layout.

A comment at the end of a line that is too long moves to a line of its own above it. A comment that stands alone is
filled again from its first long line on; tables, diagrams and lists keep their layout. Files are changed in place.

usage: comments.py COLUMNS FILE...
"""
import re
import sys

TRAILING = re.compile(r'^(?P<code>\s*\S.*?\S)\s+(?P<comment>/\*(?:(?!\*/).)*\*/)\s*$')
KEPT = re.compile(r'NOLINT|clang-format|cppcheck-suppress|falls? through')
DRAWN = re.compile(r'\S {3,}\S|[─-╿]|[-=]{8,}')
ITEM = re.compile(r'^(?:[-*•] |\d+[.)] )')


def lift(line, columns):
    """The line, or the comment at its end and then the code."""
    m = TRAILING.match(line)
    if len(line) <= columns or not m or KEPT.search(m['comment']) or '"' in m['comment']:
        return [line]
    if re.match(r'\s*(?:\}|#(?!\s*define\b))', m['code']) or m['code'].endswith('\\') or '/*' in m['code']:
        return [line]
    indent = re.match(r'\s*', m['code']).group()
    return [indent + m['comment'], m['code']]


def is_joined_by(after, text, indent):
    """Whether the line `after` goes on where `text`, indented by `indent`, ended."""
    got = len(after) - len(after.lstrip())
    return (after.strip() and got == indent and not ITEM.match(after.strip()) and not DRAWN.search(after)
            and not after.lstrip().startswith('@') and text.strip())


def fill(texts, room):
    """Lines of a comment, without their markers, none of which is longer than room where that can be."""
    out, i = [], 0
    texts = list(texts)
    while i < len(texts):
        text = texts[i]
        i += 1
        if len(text) <= room or DRAWN.search(text):
            out.append(text)
            continue
        indent = len(text) - len(text.lstrip())
        at = text.rfind(' ', indent + 1, room + 1)
        if at < 0:
            out.append(text)
            continue
        out.append(text[:at].rstrip())
        rest = text[at:].strip()
        item = ITEM.match(text.strip())
        indent += len(item.group()) if item else 0
        if i < len(texts) and is_joined_by(texts[i], text, indent):
            texts[i] = ' ' * indent + rest + ' ' + texts[i].strip()
        else:
            texts.insert(i, ' ' * indent + rest)
    return out


def rule(line, columns):
    """A line that only divides, as `-- name -----`, is cut or drawn to the columns."""
    m = re.match(r'^(\s*/\* -- .*?)-{3,} ?\*/$', line)
    return m[1] + '-' * (columns - len(m[1]) - 3) + ' */' if m and len(line) > columns else line


def wrap(block, columns):
    """A comment that stands on lines of its own, as such a comment that fits."""
    if max(map(len, block)) <= columns or KEPT.search(' '.join(block)):
        return block
    indent = re.match(r'\s*', block[0]).group()
    starred = len(block) == 1 or all(re.match(r'\s*\*', b) for b in block[1:])
    texts = [re.sub(r'^\s*/\*+ ?', '', block[0])]
    for b in block[1:]:
        texts.append(re.sub(r'^\s*\* ?', '', b) if starred and not re.match(r'\s*\*/', b)
                     else b[len(indent) + 3:] if b.startswith(indent + '   ') else b.strip())
    if not texts[0] or '/**' in block[0]:
        return block
    last = texts[-1]
    texts[-1] = re.sub(r'\s*\*/$', '\u00a0*/', last)  # the end sticks to the last word
    marker = ' * ' if starred else '   '
    out = fill(texts, columns - len(indent) - 3)
    out = [t.replace('\u00a0*/', ' */') for t in out]
    return [indent + '/* ' + out[0]] + [(indent + marker + t).rstrip() for t in out[1:]]


def tidy(lines, columns):
    out, i, off = [], 0, False
    while i < len(lines):
        line = lines[i]
        i += 1
        if 'clang-format off' in line or 'clang-format on' in line:
            off = 'clang-format off' in line
        if off or not re.match(r'\s*/\*', line):
            new = [line] if off else lift(line, columns)
            if len(new) > 1:
                out += wrap(new[:1], columns)
                new = new[1:]
            out += new
            continue
        block = [line]
        while '*/' not in block[-1] and i < len(lines):
            block.append(lines[i])
            i += 1
        alone = block[-1].rstrip().endswith('*/') and '*/' not in ''.join(block)[:-2].rstrip('*/')
        if len(block) == 1:
            block = [rule(line, columns)]
        out += wrap(block, columns) if alone else block
    return out


def main():
    columns = int(sys.argv[1])
    for path in sys.argv[2:]:
        with open(path, encoding='utf-8') as f:
            old = f.read()
        new = '\n'.join(tidy(old.split('\n'), columns))
        if new != old:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(new)


if __name__ == '__main__':
    main()
