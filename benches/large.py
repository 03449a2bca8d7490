#!/usr/bin/env python3
"""What a large store costs: starting on it, reading from it, and accepting and delivering on top of it.

    benches/large.py YARDSTICK [--events 10000000] [--webhooks 1] [--projects 1] [--seconds 5]

Makes a data directory with the release binary, fills it with events and their finished deliveries by
SQL (the shape the server writes, ids in order of time), starts the server on it and measures, beside
an empty store, in turn. YARDSTICK is the folder of the measuring programs (see run.sh).
"""
import argparse, http.client, json, os, pathlib, secrets, shutil, signal, sqlite3, statistics, string, subprocess
import sys, tempfile, time, urllib.parse

HERE = pathlib.Path(__file__).resolve().parent.parent
BITS_BELOW_MS = 15
LISTEN = ("127.0.0.1", 8700)
SINK = "127.0.0.1:9100"


class Server:
    running = set()

    def __init__(self, binary, directory, key):
        self.directory, self.key = directory, key
        environment = {**os.environ, "TIDINGS_OPERATOR_KEY": key}
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", "--data-dir", directory, "--listen", f"{LISTEN[0]}:{LISTEN[1]}", "--allow-http",
             "--allow-target", "127.0.0.0/8"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        Server.running.add(self)
        self.start_code = None
        for line in self.process.stdout:
            if "/start#" in line:
                self.start_code = line.split("#")[1].split()[0]
            if "listening" in line:
                break
        self.ready_s = time.monotonic() - begun
        self.connection = http.client.HTTPConnection(*LISTEN, timeout=60)

    def call(self, method, path, body=None, headers=None):
        text = json.dumps(body) if body is not None else None
        headers = {"X-API-Key": self.key, "Content-Type": "application/json", **(headers or {})}
        try:
            self.connection.request(method, "/api/v1" + path, text, headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            # Idle connections are closed by the server; what was asked has not reached it then.
            self.connection.close()
            self.connection.request(method, "/api/v1" + path, text, headers)
            answer = self.connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {data[:300]}")
        return json.loads(data) if data else None

    def timed_ms(self, path, times=50):
        taken = []
        for _ in range(times):
            begun = time.monotonic()
            self.call("GET", path)
            taken.append((time.monotonic() - begun) * 1000)
        taken.sort()
        return {"p50": round(statistics.median(taken), 1), "p99": round(taken[-1], 1)}

    def sign_in(self):
        """Makes the first operator; returns the cookie, which outlives the process."""
        form = urllib.parse.urlencode(
            {"token": self.start_code, "email": "bench@example.com", "password": "a long enough password"})
        headers = {"Origin": f"http://{LISTEN[0]}:{LISTEN[1]}", "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", "/start", form, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.getheader("Set-Cookie").split(";")[0]

    def page_ms(self, path, cookie, times=50):
        taken = []
        for _ in range(times):
            begun = time.monotonic()
            self.connection.request("GET", path, headers={"Cookie": cookie})
            answer = self.connection.getresponse()
            text = answer.read()
            taken.append((time.monotonic() - begun) * 1000)
            if answer.status != 200:
                sys.exit(f"{path}: {answer.status} {text[:300]}")
        taken.sort()
        return {"p50": round(statistics.median(taken), 1), "p99": round(taken[-1], 1)}

    def stop(self):
        Server.running.discard(self)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def populate(server, webhooks, projects):
    """Projects, each with its share of the webhooks; returns the ids of the first of each."""
    server.call("POST", "/event-types", {"name": "bench.event"})
    first = None
    for number in range(projects):
        headers = {}
        if number > 0:
            project = server.call("POST", "/projects", {"name": f"p{number}"}, {"X-Organization-ID": organization(server)})
            headers = {"X-Project-ID": project["id"]}
        for place in range(webhooks // projects):
            made = server.call("POST", "/webhooks", {"url": f"http://{SINK}/e/{place % 64}"}, headers)
            first = first or made
    return first


def organization(server):
    return server.call("GET", "/organizations")["data"][-1]["id"]


def fill(directory, events):
    """Events of the last 30 days, each with one delivery that ended at once."""
    database = sqlite3.connect(f"{directory}/tidings.sqlite")
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA cache_size=-400000")
    (webhook, project) = database.execute("SELECT seq, project FROM webhook ORDER BY seq LIMIT 1").fetchone()
    now_ms = int(time.time() * 1000) - 3_600_000
    step = max(4, (30 * 86_400_000 << BITS_BELOW_MS) // events)
    base = (now_ms << BITS_BELOW_MS) - step * events
    head = database.execute(
        "INSERT INTO head_template (text) VALUES ('content-type: {content_type}\n') "
        "ON CONFLICT (text) DO UPDATE SET text = text RETURNING id").fetchone()[0]
    payload = json.dumps({"pad": "x" * 480}).encode()
    chunk = 500_000
    for begin in range(0, events, chunk):
        count = min(chunk, events - begin)
        series = f"WITH RECURSIVE n(i) AS (SELECT {begin} UNION ALL SELECT i + 1 FROM n WHERE i < {begin + count - 1})"
        database.execute(
            f"{series} INSERT INTO event (seq, tail, project, fanout, type, payload) "
            f"SELECT {base} + i * {step}, i, ?, 1, 'bench.event', ? FROM n", (project, payload))
        database.execute(
            f"{series} INSERT INTO delivery (seq, tail, event, webhook, project, rendering, epoch, state, attempts, "
            "finished_at, started_at, status, dns_us, connect_us, tls_us, first_byte_us, total_us, reused, head, "
            "response_headers, response_truncated, response_body) "
            f"SELECT {base} + i * {step} + 1, i, {base} + i * {step}, ?, ?, 0, 1, CASE WHEN i % 1000 = 0 THEN 3 ELSE 2 END, "
            f"1, ({base} + i * {step}) >> {BITS_BELOW_MS}, ({base} + i * {step}) >> {BITS_BELOW_MS}, 200, 0, 0, 0, 900, "
            "1000, 1, ?, 'content-length: 2\n', 0, x'6f6b' FROM n", (webhook, project, head))
        database.commit()
    failed = database.execute("SELECT count(*) FROM delivery WHERE state = 3").fetchone()[0]
    database.execute("UPDATE ledger SET born = born + ?", (events,))
    database.execute(
        "INSERT INTO webhook_state (webhook, failure_count, delivered, failed) VALUES (?, 0, ?, ?) ON CONFLICT (webhook) "
        "DO UPDATE SET delivered = excluded.delivered, failed = excluded.failed", (webhook, events - failed, failed))
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def throughput(yardstick, server, name, seconds, fanout=1):
    sink = subprocess.Popen([f"{yardstick}/target/release/sink", "--listen", SINK], stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    try:
        result = subprocess.run(
            [sys.executable, f"{yardstick}/bench.py", "--name", name, "--target", f"{LISTEN[0]}:{LISTEN[1]}",
             "--adapter", f"{yardstick}/adapters/tidings.http", "--var", f"key={server.key}",
             "--tree", f"server={server.process.pid}", "--tree", f"sink={sink.pid}", "--fanout", str(fanout),
             "--conns", "64", "--duration", str(seconds), "--runs", "3"], capture_output=True, text=True, cwd=yardstick)
        lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
        found = next(line for line in lines if "e2e_rate" in line)
        return {key: found[key] for key in ("accept_rate", "e2e_rate", "e2e_p50_ms", "e2e_p99_ms", "cpu_server_ms_per_1k",
                                            "rss_server_mib", "missing", "dupes")}
    finally:
        sink.terminate()
        sink.wait()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("yardstick")
    arguments.add_argument("--events", type=int, default=10_000_000)
    arguments.add_argument("--webhooks", type=int, default=1)
    arguments.add_argument("--projects", type=int, default=1)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--reads-only", action="store_true", help="no throughput, no empty store")
    arguments.add_argument("--binary", default=str(HERE / "target/release/tidings"))
    given = arguments.parse_args()
    yardstick = str(pathlib.Path(given.yardstick).resolve())
    key = "tdo_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(43))
    work = tempfile.mkdtemp()
    try:
        stores = [("empty", 0, given.webhooks // given.projects, 1), ("large", given.events, given.webhooks, given.projects)]
        for name, events, webhooks, projects in stores[1:] if given.reads_only else stores:
            directory = f"{work}/{name}"
            server = Server(given.binary, directory, key)
            webhook = populate(server, webhooks, projects)
            cookie = server.sign_in()
            server.stop()
            begun = time.monotonic()
            if events:
                fill(directory, events)
            filled_s = time.monotonic() - begun
            server = Server(given.binary, directory, key)
            figures = {"store": name, "events": events, "webhooks": webhooks, "projects": projects,
                       "filled_s": round(filled_s, 1), "ready_s": round(server.ready_s, 3),
                       "file_mib": os.path.getsize(f"{directory}/tidings.sqlite") >> 20}
            for path in ["/webhooks", "/events?type=bench.event", f"/deliveries?webhook_id={webhook['id']}",
                         f"/deliveries?webhook_id={webhook['id']}&status=failed", "/deliveries",
                         f"/webhooks/{webhook['id']}/stats", "/instance"]:
                figures[path.split("?")[0].replace(webhook["id"], "ID") + ("?" + path.split("?")[1].split("=")[0] if "?" in path else "")
                        + ("&status" if "status" in path else "")] = server.timed_ms(path)
            project = f"/p/{webhook['project_id']}"
            delivery = server.call("GET", "/deliveries?limit=1")["data"]
            event = server.call("GET", "/events?limit=1")["data"]
            pages = ["", "/webhooks", f"/webhooks/{webhook['id']}", "/events", "/events?type=bench.event", "/deliveries",
                     "/deliveries?status=failed", "/sources", "/commands", "/event-types"]
            pages += [f"/deliveries/{one['id']}" for one in delivery] + [f"/events/{one['id']}" for one in event]
            figures["pages"] = {(path.split("_")[0] or "/"): server.page_ms(project + path, cookie) for path in pages}
            figures["pages"]["health"] = server.page_ms("/operator/health", cookie)
            if given.reads_only:
                print(json.dumps(figures), flush=True)
                server.stop()
                shutil.rmtree(directory)
                continue
            figures["load"] = throughput(yardstick, server, name, given.seconds, webhooks // projects)
            figures["unaccounted"] = server.call("GET", "/instance")["ledger"]["unaccounted"]
            print(json.dumps(figures), flush=True)
            server.stop()
            shutil.rmtree(directory)
    finally:
        for server in list(Server.running):
            server.stop()
        shutil.rmtree(work, ignore_errors=True)


main()
