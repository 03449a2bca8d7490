#!/usr/bin/env bash
# Measures Tidings on PostgreSQL: one node, a cluster of its own with full fsync, one webhook and ten.
#
#   benches/postgres.sh YARDSTICK [RUNS] [SECONDS]
#
# YARDSTICK is the folder of the measuring programs, see run.sh. Needs Debian's package postgresql; whoever is root
# runs the cluster as the user postgres. Prints one JSON line per measurement, with the processor time of the server,
# of PostgreSQL and of the receiver apart.
set -euo pipefail

yardstick=$(cd "${1:?usage: benches/postgres.sh YARDSTICK [RUNS] [SECONDS]}" && pwd)
runs=${2:-3}
seconds=${3:-5}
here=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
binary=$target/release/tidings
[ -x "$binary" ] || (cd "$here" && cargo build --release --package tidings)
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)

work=$(mktemp -d)
pids=()
as=()
if [ "$(id -u)" = 0 ]; then
    chmod 711 "$work"
    as=(setpriv --reuid postgres --regid postgres --clear-groups --)
fi
finish() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    "${as[@]}" "$programs/pg_ctl" -m immediate -D "$work/pg/data" stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT

mkdir "$work/pg"
[ ${#as[@]} -eq 0 ] || chown postgres "$work/pg"
"${as[@]}" "$programs/initdb" -D "$work/pg/data" -U tidings -A trust -E UTF8 --no-locale >/dev/null
"${as[@]}" "$programs/pg_ctl" -w -D "$work/pg/data" -l "$work/pg/log" \
    -o "-k $work/pg -c listen_addresses= -c shared_buffers=256MB" start >/dev/null

key=tdo_$(head -c 64 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' | head -c 43)
sink=127.0.0.1:9100
server=127.0.0.1:9200

stop_all() {
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
    pids=()
}

measure() { # name fanout
    "$programs/createdb" -h "$work/pg" -U tidings "$1"
    "$yardstick/target/release/sink" --listen $sink 2>"$work/sink.log" &
    local sink_pid=$!
    TIDINGS_DATABASE_URL="postgresql:///$1?user=tidings&host=$work/pg" TIDINGS_OPERATOR_KEY=$key \
        "$binary" serve --data-dir "$work/$1" --listen $server --allow-http --allow-target 127.0.0.0/8 \
        >"$work/$1.out" 2>"$work/$1.log" &
    local server_pid=$!
    pids=("$sink_pid" "$server_pid")
    until grep -q listening "$work/$1.out"; do sleep 0.1; done
    local post=(curl -sf -o /dev/null -H "X-API-Key: $key" -H 'Content-Type: application/json')
    "${post[@]}" -d '{"name":"bench.event"}' "http://$server/api/v1/event-types"
    for ((number = 0; number < $2; number++)); do
        "${post[@]}" -d "{\"url\":\"http://$sink/e/$number\"}" "http://$server/api/v1/webhooks"
    done
    python3 "$yardstick/bench.py" --name "$1" --target $server --adapter "$yardstick/adapters/tidings.http" \
        --tree "server=$server_pid" --tree "sink=$sink_pid" --tree "postgres=$(head -1 "$work/pg/data/postmaster.pid")" \
        --fanout "$2" --conns 64 --duration "$seconds" --runs "$runs" --sink $sink --var "key=$key" \
        --out "$work/results.jsonl" 2>>"$work/spread.log"
    stop_all
}

measure one_webhook 1
measure ten_webhooks 10
