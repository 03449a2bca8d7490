#!/usr/bin/env bash
# Measures Tidings beside a bare durable relay, in one run on one machine.
#
#   benches/run.sh YARDSTICK [RUNS] [SECONDS]
#
# YARDSTICK is a folder with the measuring programs, built for release: target/release/{sink,
# loadgen,ideal}, bench.py and adapters/. Prints one JSON line per measurement, medians of RUNS.
set -euo pipefail

yardstick=$(cd "${1:?usage: benches/run.sh YARDSTICK [RUNS] [SECONDS]}" && pwd)
runs=${2:-3}
seconds=${3:-6}
here=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
binary=$target/release/tidings
[ -x "$binary" ] || (cd "$here" && cargo build --release --package tidings)

work=$(mktemp -d)
pids=()
finish() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

key=tdo_$(head -c 64 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' | head -c 43)
sink=127.0.0.1:9100

stop_all() {
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
    pids=()
}

start_sink() {
    "$yardstick/target/release/sink" --listen $sink 2>"$work/sink.log" &
    pids+=($!)
    sink_pid=$!
}

bench() { # name target adapter server-pid fanout conns further...
    local name=$1 address=$2 adapter=$3 server_pid=$4 fanout=$5 conns=$6
    shift 6
    python3 "$yardstick/bench.py" --name "$name" --target "$address" --adapter "$yardstick/adapters/$adapter.http" \
        --tree "server=$server_pid" --tree "sink=$sink_pid" --fanout "$fanout" --conns "$conns" \
        --duration "$seconds" --runs "$runs" --out "$work/results.jsonl" "$@" 2>>"$work/spread.log"
}

ideal() { # name fanout conns further...
    local name=$1 fanout=$2 conns=$3
    shift 3
    start_sink
    "$yardstick/target/release/ideal" --store sqlite --dir "$work/ideal-$name" --listen 127.0.0.1:9200 \
        --sink $sink --fanout "$fanout" 2>"$work/ideal.log" &
    pids+=($!)
    local server=$!
    until curl -s -o /dev/null http://127.0.0.1:9200/groups; do sleep 0.1; done
    bench "$name" 127.0.0.1:9200 ideal "$server" "$fanout" "$conns" "$@"
    stop_all
}

tidings() { # name fanout conns further...
    local name=$1 fanout=$2 conns=$3
    shift 3
    start_sink
    TIDINGS_OPERATOR_KEY=$key "$binary" serve --data-dir "$work/data-$name" --listen 127.0.0.1:8700 \
        --allow-http --allow-target 127.0.0.0/8 >"$work/server.out" 2>"$work/server.log" &
    pids+=($!)
    local server=$! api=http://127.0.0.1:8700/api/v1
    until grep -q listening "$work/server.out"; do sleep 0.1; done
    local headers=(-s -o /dev/null -H "X-API-Key: $key" -H 'Content-Type: application/json')
    curl "${headers[@]}" -d '{"name":"bench.event"}' $api/event-types
    for ((place = 0; place < fanout; place++)); do
        curl "${headers[@]}" -d "{\"url\":\"http://$sink/e/$place\"}" $api/webhooks
    done
    bench "$name" 127.0.0.1:8700 tidings "$server" "$fanout" "$conns" --var "key=$key" "$@"
    stop_all
}

ideal ideal-fanout-1 1 64
tidings tidings-fanout-1 1 64
ideal ideal-fanout-10 10 64
tidings tidings-fanout-10 10 64
ideal ideal-50-per-second 1 8 --rate 50
tidings tidings-50-per-second 1 8 --rate 50
