#!/usr/bin/env bash
# A small tree that is in order, and then with one fault after the other: each check of tools/check finds its own, and
# nothing where there is none.
#   finds.sh TOOLS/CHECK own|programs     the checks that are scripts here, or those that ask a program of others
set -euo pipefail

check=$1 part=$2
style=$(dirname "$check")/..
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# start: the tree without a fault.
start() {
  rm -rf "${tree:?}"/{*,.clang-*}
  mkdir -p "$tree"/{proto/include/ov,proto/src,server/core,server/store,server/net,client-c/src,tests/core,tools,build}
  cat >"$tree/proto/PROTOCOL.md" <<'TEXT'
- **PROTO-1** One.
- **PROTO-2** Two.
TEXT
  cat >"$tree/proto/include/ov/thing.h" <<'TEXT'
/* A thing. */
#ifndef OV_THING_H
#define OV_THING_H

#include <stddef.h>

/* Size of it. PROTO-1 */
size_t ov_thing(void);

#endif
TEXT
  printf '#include "ov/thing.h"\n\n/* PROTO-2 */\nsize_t ov_thing(void) { return 1; }\n' >"$tree/proto/src/thing.c"
  printf '#include "ov/thing.h"\n\nint sv_core(void);\nint sv_core(void) { return 0; }\n' >"$tree/server/core/core.c"
  printf '/* PROTO-1, PROTO-2 */\n#include "ov/thing.h"\n' >"$tree/tests/core/test_thing.c"
  # shellcheck disable=SC2016 # the script's own argument
  printf '#!/bin/bash\necho "$1"\n' >"$tree/tools/run"
  printf '[{"directory": "%s", "file": "proto/src/thing.c", "command": "cc -Iproto/include -c proto/src/thing.c"}]\n' "$tree" \
    >"$tree/build/compile_commands.json"
  sed -i "s| -Iproto| -I$tree/proto|; s| -c | -c $tree/|" "$tree/build/compile_commands.json"
  : >"$tree/build/build.ninja"
  cp "$style/.clang-format" "$style/.clang-tidy" "$tree/"
}

run() { "$check" --root "$tree" --build "$tree/build" --only "$1" 2>&1; }

# fine CHECK: nothing is found.
fine() {
  local said
  if ! said=$(run "$1"); then
    echo "$1 finds a fault where there is none: $said"
    failed=1
  fi
}

# finds CHECK TEXT: the check fails and says so.
finds() {
  local said
  if said=$(run "$1"); then
    echo "$1 does not find: $2"
    failed=1
  elif [[ $said != *"$2"* ]]; then
    echo "$1 says something else than \"$2\": $said"
    failed=1
  fi
}

lines() { for _ in $(seq "$1"); do echo "$2"; done; }

own() {
  start
  for name in functions files includes citations words documented headers; do fine "$name"; done

  { echo 'static int longer(int a) {'; lines 69 '  a++;'; echo '}'; } >"$tree/server/core/long.c"
  finds functions 'long.c:1: longer has 71 lines'
  { echo 'static int just(int a) {'; lines 68 '  a++;'; echo '}'; } >"$tree/server/core/long.c"
  fine functions
  { echo 'static const int table[] = {'; lines 90 '  1,'; echo '};'; } >"$tree/server/core/long.c"
  fine functions

  start
  lines 701 'int a;' >"$tree/server/core/many.c"
  finds files 'many.c: 701 lines'
  start
  printf '/* %s */\n' "$(lines 25 word | tr '\n' ' ')" >"$tree/server/core/wide.c"
  finds files 'wide.c:1: 131 columns'
  printf 'int a; \n' >"$tree/server/core/wide.c"
  finds files 'space at the end'

  start
  echo '#include "core.h"' >>"$tree/proto/src/thing.c"
  echo '#define CORE 1' >"$tree/server/core/core.h"
  finds includes 'proto/src includes server/core/core.h'
  start
  echo '#include "client.h"' >>"$tree/server/core/core.c"
  echo '#define CLIENT 1' >"$tree/client-c/src/client.h"
  finds includes 'server/core includes client-c/src/client.h'
  start
  echo '#include "net.h"' >>"$tree/server/store/store.c"
  echo '#define NET 1' >"$tree/server/net/net.h"
  finds includes 'server/store includes server/net/net.h'
  start
  echo '#include "thing_world.h"' >>"$tree/server/core/core.c"
  echo '#define WORLD 1' >"$tree/tests/core/thing_world.h"
  finds includes 'server/core includes tests/core/thing_world.h'
  start
  echo '#include <lmdb.h>' >>"$tree/server/core/core.c"
  finds includes 'lmdb.h is not for this file'
  start
  echo '#include <sys/socket.h>' >>"$tree/proto/src/thing.c"
  finds includes 'proto knows no sys/socket.h'
  start
  echo 'long now(void) { return time(0); }' >>"$tree/proto/src/thing.c"
  finds includes 'proto uses time'
  start
  echo '/* time(0) in words, "printf(" in a text */' >>"$tree/proto/src/thing.c"
  fine includes

  start
  echo '- **PROTO-3** Three.' >>"$tree/proto/PROTOCOL.md"
  finds citations 'PROTO-3 is cited by no code'
  finds citations 'PROTO-3 is cited by no test'
  start
  echo '/* PROTO-9 */' >>"$tree/proto/src/thing.c"
  finds citations 'cites PROTO-9, which is not in PROTOCOL.md'

  start
  printf '/* TO%s: later */\n' DO >>"$tree/server/core/core.c"
  finds words 'core.c:5'
  start
  printf 'cd /wo%s/main\n' rk >>"$tree/tools/run"
  finds words 'tools/run:3'

  start
  sed -i 's|^#endif|int ov_bare(int a,\n            int b);\n\n#endif|' "$tree/proto/include/ov/thing.h"
  finds documented 'thing.h:10: ov_bare has no comment'

  start
  sed -i '/stddef/d' "$tree/proto/include/ov/thing.h"
  finds headers 'proto/include/ov/thing.h: does not stand alone'

  start
  if "$check" --root "$tree" --only nothing >/dev/null 2>&1; then
    echo 'an unknown check is taken'
    failed=1
  fi
}

# The programs' own knowledge is theirs to test: here one fault each shows that they are asked, of which files, and that
# what they say is not lost on the way.
programs() {
  start
  for name in format shell cppcheck tidy; do fine "$name"; done

  printf '\nint sv_second(void);\nint sv_second(void) {\n\treturn 1 ;\n}\n' >>"$tree/server/core/core.c"
  finds format 'server/core/core.c'
  "$check" --root "$tree" --build "$tree/build" --fix --only format >/dev/null || failed=1
  fine format

  start
  # shellcheck disable=SC2016 # a fault on purpose
  printf 'rm $1\n' >>"$tree/tools/run"
  finds shell 'tools/run:3:4: note: Double quote'

  start
  printf '\nint ov_fault(void);\nint ov_fault(void) {\n  int a[2] = {1, 2};\n  return a[2];\n}\n' >>"$tree/proto/src/thing.c"
  finds cppcheck 'proto/src/thing.c:9: arrayIndexOutOfBounds'

  # A file without findings is remembered: what was fine is looked at again when it changes.
  start
  fine tidy
  printf '\nint ov_fault(int a);\nint ov_fault(int a) {\n  return a == a;\n}\n' >>"$tree/proto/src/thing.c"
  finds tidy 'proto/src/thing.c:8:12: error'
}

case $part in
  own) own ;;
  programs) programs ;;
  *) echo "what is $part?" && exit 2 ;;
esac
[ $failed -eq 0 ] && echo 'every check finds what it is for'
exit $failed
