# Shared by tools/run, tools/test and tools/demo: what must be installed, how it is built. Sourced; sets ROOT.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# To build and run; jq and curl for the scripts themselves.
RUN_PACKAGES=(build-essential cmake ninja-build pkg-config libwebsockets-dev liblmdb-dev libmsgpack-dev libssl-dev
  zlib1g-dev libgsl-dev libreadstat-dev libjansson-dev libargon2-dev libqrencode-dev libpng-dev libcmocka-dev ca-certificates
  curl jq tzdata)
# The tests also want the other compiler with its sanitizers, the programs that tools/check asks, and what single
# tests look through.
TEST_PACKAGES=(clang libclang-rt-14-dev clang-format clang-tidy cppcheck shellcheck strace python3
  python3-pandas libglpk-dev pspp r-base-core r-cran-haven r-cran-httr2 openssl chromium)
COVERAGE_PACKAGES=(gcovr)
# The web client; only where node or npm is not there already, from whatever source.
WEB_PACKAGES=(nodejs npm)

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

missing_packages() {
  local p
  for p in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || printf '%s\n' "$p"
  done
}

# What to say when this script cannot install by itself.
cannot_install() {
  printf '%s\n' "$1" "Missing packages: ${*:2}" \
    "Install them as root: apt-get update && apt-get install --no-install-recommends --yes ${*:2}" >&2
  exit 1
}

# Installs what is missing of the packages named, and nothing when all is there.
need_packages() {
  local missing sudo=()
  command -v dpkg-query >/dev/null ||
    die "this is no Debian: install what these packages hold, then build with cmake: $*"
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      cannot_install "Packages are missing, and installing them needs root or sudo." "${missing[@]}"
    sudo=(sudo)
  fi
  say "Installing: ${missing[*]}"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update --quiet=2 ||
    cannot_install "apt-get update failed: is there a network?" "${missing[@]}"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --no-install-recommends --yes --quiet=2 "${missing[@]}" >/dev/null ||
    cannot_install "apt-get install failed." "${missing[@]}"
}

# build DIR "cmake options" [targets]: configures once, then lets ninja decide. Quiet, unless something goes wrong or
# a terminal looks on.
build() {
  local dir=$1 options=$2 log status=0
  shift 2
  log=$(mktemp)
  if [ ! -f "$dir/build.ninja" ]; then
    # shellcheck disable=SC2086 # options are words
    cmake -S "$ROOT" -B "$dir" -G Ninja $options >"$log" 2>&1 || status=$?
  fi
  if [ $status -eq 0 ] && [ -t 1 ]; then
    ninja -C "$dir" -j "$(nproc)" "$@" || status=$?
  elif [ $status -eq 0 ]; then
    ninja -C "$dir" -j "$(nproc)" "$@" >"$log" 2>&1 || status=$?
  fi
  [ $status -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  [ $status -eq 0 ] || die "building $dir failed"
}

# The web client's libraries as its lock file says, with node and npm where they are missing. A stamp beside them
# makes a second call cheap; two calls at once wait for each other.
web_modules() {
  local web=$ROOT/client-web want
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then need_packages "${WEB_PACKAGES[@]}"; fi
  want=$(cd "$web" && sha256sum package.json package-lock.json && node --version)
  (
    flock 9
    [ "$(cat "$web/node_modules/.installed" 2>/dev/null)" != "$want" ] || exit 0
    say "Fetching the web client's libraries ..."
    cd "$web" || exit 1
    npm ci --silent --no-fund --no-audit || die "npm ci failed in client-web: is there a network?"
    printf '%s\n' "$want" >"$web/node_modules/.installed"
  ) 9>"$web/.modules.lock"
}

# The web app in client-web/dist, built again when anything that it is made of has changed.
web_app() {
  local web=$ROOT/client-web want
  web_modules
  (
    flock 9
    want=$(cd "$web" && find src assets scripts package-lock.json ../proto/dict ../proto/PROTOCOL.md -type f -print0 |
      sort -z | xargs -0 sha256sum | sha256sum)
    if [ "$(cat "$web/node_modules/.app" 2>/dev/null)" = "$want" ] && [ -f "$web/dist/index.html" ]; then exit 0; fi
    say "Building the web app ..."
    if ! (cd "$web" && node scripts/build.mjs >/dev/null); then die "building the web app failed"; fi
    printf '%s\n' "$want" >"$web/node_modules/.app"
  ) 9>"$web/.modules.lock"
}
