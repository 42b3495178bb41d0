#!/usr/bin/env python3
"""Plants bugs: plant.py LIST ROOT OUT

Reads the list (planted.txt) and writes into the folder OUT a changed copy of every source that it names, and
plants.c with the list itself. The sources in the tree stay as they are: production builds hold nothing of it.
In the copies a planted line asks sim_planted(i) whether its bug is switched on. Fails when a text to be
replaced does not occur exactly once: then the source has changed, and the bug has to be planted anew.
With --sources prints the paths of the sources named, and writes nothing.
"""
import os
import sys


def fail(text):
    sys.exit("plant.py: " + text)


def read_list(path):
    """Blocks divided by empty lines: [name], what it is in words, then pairs of lines find/with under file."""
    bugs, bug, source, find = [], None, None, None
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        at = "%s:%d: " % (path, number)
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("["):
            bug = {"name": line.strip("[] "), "says": "", "changes": []}
            bugs.append(bug)
        elif line.startswith("file "):
            source = line[5:].strip()
        elif line.startswith("find "):
            find = line[5:].strip()
        elif line.startswith("with "):
            if not (bug and source and find):
                fail(at + "'with' needs a bug, a file and a 'find' before it")
            bug["changes"].append((source, find, line[5:].strip()))
            find = None
        elif bug:
            bug["says"] = (bug["says"] + " " + line.strip()).strip()
        else:
            fail(at + "a line outside every bug")
    return bugs


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_if_changed(path, text):
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--sources":
        print("\n".join(sorted({c[0] for b in read_list(sys.argv[2]) for c in b["changes"]})))
        return
    if len(sys.argv) != 4:
        fail("usage: plant.py LIST ROOT OUT | plant.py --sources LIST")
    bugs, root, out = read_list(sys.argv[1]), sys.argv[2], sys.argv[3]
    sources = {}
    for i, bug in enumerate(bugs):
        for source, find, new in bug["changes"]:
            if source not in sources:
                with open(os.path.join(root, source), encoding="utf-8") as f:
                    sources[source] = f.read()
            if sources[source].count(find) != 1:
                fail("%s has changed: the text that the planted bug '%s' replaces is there %d times, not once. "
                     "Plant it anew in tests/sim/planted.txt: %s"
                     % (source, bug["name"], sources[source].count(find), find))
            sources[source] = sources[source].replace(find, new.replace("PLANTED", "sim_planted(%d)" % i))
    for source, text in sources.items():
        head = '#include <stdbool.h>\nbool sim_planted(unsigned i);\n#line 1 "%s"\n' % source
        write_if_changed(os.path.join(out, source), head + text)
    rows = "".join('    {%s, %s, false},\n' % (c_string(b["name"]), c_string(b["says"])) for b in bugs)
    write_if_changed(
        os.path.join(out, "plants.c"),
        '/* Made by plant.py. */\n#include "sim.h"\n\nsim_plant sim_plants[] = {\n' + rows + "};\n"
        "const unsigned sim_n_plants = %d;\nbool sim_planted(unsigned i) { return sim_plants[i].on; }\n" % len(bugs))


main()
