"""What a guard costs in time: the same open load on a model's server directly and through `forewarn guard`.

    python3 -m venv venv && venv/bin/pip install pyarrow==21.0.0
    venv/bin/python bench/guard.py --forewarn target/release/forewarn [--rate 1000] [--seconds 20] [--rounds 3] [--kills 0]

The server answers at once, so that what is measured is the way. Requests of one row of 30 features leave at fixed
instants whatever the answers do (an open loop), over connections that stay open; a latency is from there to the last
byte. Rounds alternate between the two ways, so that whatever else the machine does meets both; what is told is the
difference of quantiles over all rounds, and of each round. Everything runs on this machine: the load, the server and the
guard share its cores.

With --kills the guard is killed with SIGKILL so many times in the middle of the load and started again; afterwards every
prediction that was answered must be in the log once.
"""

import argparse
import json
import os
import pathlib
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import pyarrow as pa
import pyarrow.parquet as pq

NUMERIC, TEXT = 20, 10
CONNECTIONS = 32
POLICY = """
[[rule]]
outage = { feature = "n0" }
then = { strategy = "impute-usual" }
"""
DEFINITION = """
[system]
id = "bench"
[model]
endpoint = "http://127.0.0.1:PORT/invocations"
[log]
path = "log/*.parquet"
id = "id"
time = "at"
score = "score"
[reference]
window = "2026-01-01/2026-02-01"
[guard]
answer_after = "AFTER"
"""


def row(rng):
    made = {f"n{at}": round(rng.gauss(0, 1), 6) for at in range(NUMERIC)}
    made.update({f"c{at}": f"v{rng.randrange(100)}" for at in range(TEXT)})
    return made


def write_log(folder, rng, rows=5_000):
    made = [row(rng) for _ in range(rows)]
    columns = {name: [of[name] for of in made] for name in made[0]}
    start = 1_767_225_600_000_000
    columns["id"] = [f"r{at}" for at in range(rows)]
    columns["at"] = pa.array([start + at * 400_000_000 for at in range(rows)], pa.timestamp("us", "UTC"))
    columns["score"] = [rng.random() for _ in range(rows)]
    (folder / "log").mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "log/reference.parquet")


def request(of, path="/invocations"):
    names = list(of)
    body = json.dumps({"dataframe_split": {"columns": names, "data": [list(of.values())]}}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def serve_upstream(port):
    """A server of a model that knows one answer."""
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    poll, known = select.epoll(), {}
    poll.register(listener, select.EPOLLIN)
    body = b'{"predictions":[0.5]}'
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                stream, _ = listener.accept()
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                poll.register(stream, select.EPOLLIN)
                known[stream.fileno()] = [stream, b""]
                continue
            of = known[number]
            try:
                part = of[0].recv(65_536)
            except ConnectionError:
                part = b""
            if not part:
                poll.unregister(number)
                of[0].close()
                del known[number]
                continue
            of[1] += part
            head, found, rest = of[1].partition(b"\r\n\r\n")
            if not found:
                continue
            length = next(
                (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
            )
            if len(rest) >= length:
                of[1] = rest[length:]
                of[0].sendall(answer)


class Load:
    """Requests at fixed instants over connections that stay open."""

    def __init__(self, port, requests):
        self.port, self.requests = port, requests
        self.idle = []
        self.waiting = {}
        self.answered = []
        self.late = 0

    def connect(self):
        stream = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream

    def run(self, rate, seconds):
        """Latencies in seconds, and the heads of answers."""
        self.idle = self.idle or [self.connect() for _ in range(CONNECTIONS)]
        latencies, heads, sent, failed = [], [], 0, 0
        start = time.perf_counter()
        total = int(rate * seconds)
        while sent < total or self.waiting:
            now = time.perf_counter()
            due = start + sent / rate
            if sent < total and now >= due:
                stream = self.idle.pop() if self.idle else None
                if stream is None:
                    try:
                        stream = self.connect()
                    except OSError:
                        failed, sent = failed + 1, sent + 1
                        continue
                try:
                    stream.sendall(self.requests[sent % len(self.requests)])
                    self.waiting[stream] = [time.perf_counter(), b""]
                    self.late += now - due > 0.001
                except OSError:
                    failed += 1
                    stream.close()
                sent += 1
                continue
            if sent >= total and now > start + seconds + 10:
                failed += len(self.waiting)
                break
            wait = min(due - now, 0.05) if sent < total else 0.05
            readable, _, _ = select.select(list(self.waiting), [], [], max(wait, 0))
            for stream in readable:
                of = self.waiting[stream]
                try:
                    part = stream.recv(65_536)
                except OSError:
                    part = b""
                if not part:
                    del self.waiting[stream]
                    stream.close()
                    failed += 1
                    continue
                of[1] += part
                head, found, body = of[1].partition(b"\r\n\r\n")
                if found and body.endswith(b"}"):
                    latencies.append(time.perf_counter() - of[0])
                    heads.append(head)
                    del self.waiting[stream]
                    self.idle.append(stream)
        return latencies, heads, failed


def quantile(values, share):
    ranked = sorted(values)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port, path="/healthz"):
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).read()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the guard does not answer")


def start_guard(program, folder, port):
    command = [program, "guard", folder, "--listen", f"127.0.0.1:{port}", "--policy", folder / "policy.toml"]
    guard = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_for(port)
    return guard


def measure(options, folder, upstream, requests):
    port = free_port()
    guard = start_guard(options.forewarn, folder, port)
    direct, guarded = Load(upstream, requests), Load(port, requests)
    for load in (direct, guarded):
        load.run(options.rate, 3)
        load.late = 0
    all_of = {"direct": [], "guarded": []}
    for number in range(options.rounds):
        told = []
        for name, load in (("direct", direct), ("guarded", guarded)):
            latencies, _, failed = load.run(options.rate, options.seconds)
            if failed:
                sys.exit(f"{failed} requests failed")
            all_of[name] += latencies
            told.append(f"{name} p50 {1e3 * quantile(latencies, 0.5):.3f} ms, p99 {1e3 * quantile(latencies, 0.99):.3f} ms")
        print(f"round {number + 1}: {'; '.join(told)}")
    for share in (0.5, 0.9, 0.99, 0.999):
        before, after = (1e3 * quantile(all_of[name], share) for name in ("direct", "guarded"))
        print(f"p{100 * share:g}: direct {before:.3f} ms, guarded {after:.3f} ms, difference {after - before:+.3f} ms")
    rows = len(all_of["direct"]) + len(all_of["guarded"])
    print(f"{rows} requests at {options.rate}/s; {direct.late + guarded.late} left more than 1 ms late")
    usage = pathlib.Path(f"/proc/{guard.pid}/stat").read_text().split()
    seconds = (int(usage[13]) + int(usage[14])) / os.sysconf("SC_CLK_TCK")
    answered = len(all_of["guarded"]) + 3 * options.rate
    print(f"the guard took {1e6 * seconds / answered:.0f} µs of processor time a request")
    guard.send_signal(signal.SIGTERM)
    if guard.wait(60) != 0:
        sys.exit("the guard did not stop well")


def logged_ids(folder):
    ids = []
    for path in folder.glob("log/*.parquet"):
        ids += pq.read_table(path, columns=["id"]).column("id").to_pylist()
    return ids


def kill(options, folder, requests):
    """Every prediction that was answered is in the log, however often the guard was killed."""
    before, answered, port = set(logged_ids(folder)), [], free_port()
    rng = random.Random(7)
    for _ in range(options.kills):
        guard = start_guard(options.forewarn, folder, port)
        load = Load(port, requests)
        when = rng.uniform(0.3, 2.0)
        killer = subprocess.Popen(["sh", "-c", f"sleep {when}; kill -KILL {guard.pid}"])
        _, heads, _ = load.run(options.rate, 2.2)
        killer.wait()
        guard.wait()
        for head in heads:
            names = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            if head.startswith(b"HTTP/1.1 200"):
                answered.append(names[b"x-forewarn-id"].decode())
    guard = start_guard(options.forewarn, folder, port)
    guard.send_signal(signal.SIGTERM)
    guard.wait(60)
    ids = [of for of in logged_ids(folder) if of not in before]
    lost = set(answered) - set(ids)
    twice = len(ids) - len(set(ids))
    print(f"{options.kills} kills: {len(answered)} predictions answered, {len(ids)} logged, {len(lost)} lost, {twice} twice")
    if lost or twice or not answered:
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--forewarn", type=pathlib.Path)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--answer-after", choices=["write", "sync"], default="write")
    parser.add_argument("--upstream", type=int)
    options = parser.parse_args()
    if options.upstream:
        serve_upstream(options.upstream)
    rng = random.Random(1)
    requests = [request(row(rng)) for _ in range(500)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_log(folder, rng)
        port = free_port()
        text = DEFINITION.replace("PORT", str(port)).replace("AFTER", options.answer_after)
        (folder / "forewarn.toml").write_text(text)
        (folder / "policy.toml").write_text(POLICY)
        upstream = subprocess.Popen([sys.executable, __file__, "--upstream", str(port)])
        try:
            time.sleep(1)
            if options.rounds:
                measure(options, folder, port, requests)
            if options.kills:
                kill(options, folder, requests)
        finally:
            upstream.kill()


if __name__ == "__main__":
    main()
