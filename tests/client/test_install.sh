#!/usr/bin/env bash
# What is installed is enough to build and run an app, by pkg-config and by CMake's package; the command runs from there.
#   test_install.sh BUILD_DIR SOURCE_DIR LIBRARY_DIR
set -eu
build=$1 source=$2 lib=$3
dir=$(mktemp -d /tmp/overdracht-install.XXXXXX)
trap 'rm -rf "$dir"' EXIT

cmake --install "$build" --prefix "$dir/usr" --component client >/dev/null
for file in bin/overdracht include/overdracht.h "$lib/liboverdracht.so.0" "$lib/liboverdracht.a" "$lib/pkgconfig/overdracht.pc" \
  share/man/man1/overdracht.1 share/bash-completion/completions/overdracht share/zsh/site-functions/_overdracht \
  share/overdracht/maps/consensus_sleep_diary.map; do
  [ -s "$dir/usr/$file" ] || { echo "not installed: $file"; exit 1; }
done
"$dir/usr/bin/overdracht" --version

export PKG_CONFIG_PATH=$dir/usr/$lib/pkgconfig
cp "$source/tests/client/app/app.c" "$dir/app.c"
read -ra flags < <(pkg-config --cflags --libs overdracht)
cc -std=c11 -Wall -Werror "$dir/app.c" "${flags[@]}" -o "$dir/app"
[ "$(LD_LIBRARY_PATH=$dir/usr/$lib "$dir/app" "$dir/store")" = "0.1.0 not enrolled" ]

cmake -S "$source/tests/client/app" -B "$dir/build" -DCMAKE_PREFIX_PATH="$dir/usr" >/dev/null
cmake --build "$dir/build" >/dev/null
[ "$("$dir/build/app_shared" "$dir/store")" = "0.1.0 not enrolled" ]
[ "$("$dir/build/app_static" "$dir/store")" = "0.1.0 not enrolled" ]
mv "$dir/usr" "$dir/elsewhere" # the package can be moved
PKG_CONFIG_PATH=$dir/elsewhere/$lib/pkgconfig pkg-config --cflags overdracht | grep -q "$dir/elsewhere"
echo "all as expected"
