# Starting, stopping and asking a server. Sourced by bash after setup.sh.
# shellcheck shell=bash

# programs BUILD_DIR: where everything lies.
programs() {
  SERVER=$1/server/main/overdrachtd
  ADMIN=$1/tools/admin/overdracht-admin
  # shellcheck disable=SC2034 # for those who source this
  CLIENT=$1/client-c/cli/overdracht
  # shellcheck disable=SC2034
  DEMO_DATA=$1/tools/demo-data/overdracht-demo-data
}

SERVER_PID='' SERVER_PORT='' SERVER_LOCAL_PORT=''

# server_start DATA PORT LOCAL_PORT LOG_LEVEL [log file]: returns when it serves. Ports may be 0. Serves the web app in
# the folder WEB, if that is set. Sets SERVER_PID, SERVER_PORT and SERVER_LOCAL_PORT.
server_start() {
  local data=$1 port=$2 local=$3 level=$4 log=${5:-/dev/stderr} ports i
  ports=$(mktemp -u)
  "$SERVER" --data "$data" --init --schema "$ROOT/proto/schema" --port "$port" --local-port "$local" \
    ${WEB:+--web "$WEB"} --port-file "$ports" --log "$level" 2>>"$log" &
  SERVER_PID=$!
  for ((i = 0; i < 600; i++)); do
    if [ -f "$ports" ]; then
      SERVER_PORT=$(sed -n 's/^port=//p' "$ports")
      SERVER_LOCAL_PORT=$(sed -n 's/^local_port=//p' "$ports")
      rm -f "$ports"
      break
    fi
    kill -0 "$SERVER_PID" 2>/dev/null ||
      die "the server did not start (see above; is another one using port $port or $data?)"
    sleep 0.05
  done
  curl --silent --fail --max-time 5 "http://127.0.0.1:$SERVER_LOCAL_PORT/health" >/dev/null ||
    die "the server runs but does not say that it is healthy"
}

# server_stop [signal]: and waits for the end.
server_stop() {
  [ -n "$SERVER_PID" ] || return 0
  kill -"${1:-TERM}" "$SERVER_PID" 2>/dev/null || true
  wait "$SERVER_PID" 2>/dev/null || true
  SERVER_PID=''
}

# admin DATA COMMAND ...: the answer as JSON.
admin() {
  local data=$1
  shift
  "$ADMIN" --data "$data" --schema "$ROOT/proto/schema" --json --quiet "$@"
}
