#!/usr/bin/env bash
# Measures Tidings on PostgreSQL: a cluster of its own with full fsync, one node and three behind a balancer, one webhook
# and ten, at full load and at 50 events a second.
#
#   benches/postgres.sh YARDSTICK [RUNS] [SECONDS]
#
# YARDSTICK is the folder of the measuring programs, see run.sh. Needs Debian's package postgresql; whoever is root
# runs the cluster as the user postgres; three nodes need haproxy. Prints one JSON line per measurement, with the processor time of the server,
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
trees=()
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
master_key=$(head -c 32 /dev/urandom | base64)
sink=127.0.0.1:9100

stop_all() {
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
    pids=()
}

# Nodes behind a balancer, if there are several.
start() { # name nodes
    local number address
    for ((number = 1; number <= $2; number++)); do
        address=127.0.0.1:$((9200 + number))
        TIDINGS_DATABASE_URL="postgresql:///$1?user=tidings&host=$work/pg" TIDINGS_OPERATOR_KEY=$key \
            TIDINGS_MASTER_KEY=$master_key "$binary" serve --data-dir "$work/$1-$number" --listen "$address" \
            --allow-http --allow-target 127.0.0.0/8 >"$work/$1-$number.out" 2>"$work/$1-$number.log" &
        pids+=($!)
        trees+=(--tree "server$number=$!")
        until grep -q listening "$work/$1-$number.out"; do sleep 0.1; done
    done
    server=127.0.0.1:9201
    [ "$2" -gt 1 ] || return 0
    server=127.0.0.1:9200
    {
        printf 'defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n'
        printf 'listen nodes\n bind %s\n balance roundrobin\n' "$server"
        for ((number = 1; number <= $2; number++)); do
            printf ' server node%s 127.0.0.1:%s\n' "$number" $((9200 + number))
        done
    } >"$work/haproxy.cfg"
    haproxy -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
    pids+=($!)
    trees+=(--tree "balancer=$!")
    until curl -s -o /dev/null "http://$server/"; do sleep 0.1; done
}

measure() { # name nodes fanout bench-arguments…
    local name=$1 nodes=$2 fanout=$3 number
    shift 3
    "$programs/createdb" -h "$work/pg" -U tidings "$name"
    "$yardstick/target/release/sink" --listen $sink 2>"$work/sink.log" &
    pids=($!)
    trees=(--tree "sink=$!" --tree "postgres=$(head -1 "$work/pg/data/postmaster.pid")")
    start "$name" "$nodes"
    local post=(curl -sf -o /dev/null -H "X-API-Key: $key" -H 'Content-Type: application/json')
    "${post[@]}" -d '{"name":"bench.event"}' "http://$server/api/v1/event-types"
    for ((number = 0; number < fanout; number++)); do
        "${post[@]}" -d "{\"url\":\"http://$sink/e/$number\"}" "http://$server/api/v1/webhooks"
    done
    python3 "$yardstick/bench.py" --name "$name" --target $server --adapter "$yardstick/adapters/tidings.http" \
        "${trees[@]}" --fanout "$fanout" --duration "$seconds" --runs "$runs" --sink $sink --var "key=$key" \
        --out "$work/results.jsonl" "$@" 2>>"$work/spread.log"
    stop_all
}

measure one_webhook 1 1 --conns 64
measure ten_webhooks 1 10 --conns 64
measure fifty_a_second 1 1 --conns 8 --rate 50
if command -v haproxy >/dev/null; then
    measure three_nodes 3 1 --conns 64
    measure three_nodes_ten_webhooks 3 10 --conns 64
else
    echo "three nodes are not measured: there is no haproxy to stand before them" >&2
fi
