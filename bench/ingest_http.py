"""How many predictions a second `forewarn serve` takes in over HTTP, on one machine with the client beside it.

    python3 -m venv venv && venv/bin/pip install pyarrow==21.0.0
    venv/bin/python bench/ingest_http.py --forewarn target/release/forewarn [--seconds 60] [--kills 20]

Bodies of 30 features are made before the clock starts and sent over several connections that stay open, one
request after the other on each. What counts is what was acknowledged, which is on disk by then; "sustained" counts
only what is a row of a Parquet file when the server has been told to stop, over the time from the first request to
the end of the process, so that nothing is left to be done later. Both are given beside what the same machine needs
to write the same bytes to one file with one fsync for each request.

With --kills the server is killed with SIGKILL so many times in the middle of the load and started again; afterwards
every row that was acknowledged must be in the files once and only once.
"""

import argparse
import http.client
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq

FEATURES_NUMERIC = 20
FEATURES_TEXT = 10
DEFINITION = """
[system]
id = "load"
[log]
path = "log/predictions"
id = "id"
time = "at"
score = "score"
[reference]
window = "2026-01-01/2026-02-01"
"""


def columns(first, rows, rng):
    """`rows` predictions from the number `first` on."""
    made = {
        "id": [f"p{first + row}" for row in range(rows)],
        "at": [f"2026-03-{1 + row % 5:02}T{row % 24:02}:{row % 60:02}:00Z" for row in range(rows)],
        "score": [rng.random() for _ in range(rows)],
    }
    for at in range(FEATURES_NUMERIC):
        made[f"n{at}"] = [round(rng.gauss(0, 1), 6) for _ in range(rows)]
    for at in range(FEATURES_TEXT):
        made[f"c{at}"] = [f"v{rng.randrange(10 ** (1 + at % 4))}" for _ in range(rows)]
    return made


def ndjson(made):
    names = list(made)
    lines = (json.dumps(dict(zip(names, row)), separators=(",", ":")) for row in zip(*made.values()))
    return ("\n".join(lines) + "\n").encode()


def arrow(made):
    made = dict(made)
    made["at"] = pa.array(made["at"]).cast(pa.timestamp("us", tz="UTC"))
    table = pa.table(made)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


FORMATS = {
    "ndjson": (ndjson, "application/x-ndjson"),
    "arrow": (arrow, "application/vnd.apache.arrow.stream"),
}


class Server:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.process = None

    def start(self):
        command = [self.program, "serve", str(self.folder), "--insecure-no-auth", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.rstrip().rsplit(":", 1)[1])
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait() != 0:
            sys.exit(f"the server ended with {self.process.returncode}")


class Load:
    """Clients that send bodies until they are told to stop."""

    def __init__(self, server, bodies, content_type, rows_of):
        self.server, self.content_type, self.rows_of = server, content_type, rows_of
        self.left = list(enumerate(bodies))
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.refused = 0
        self.stopping = threading.Event()

    def take(self):
        with self.lock:
            return self.left.pop() if self.left else None

    def client(self):
        connection = None
        while not self.stopping.is_set():
            taken = self.take()
            if taken is None:
                return
            number, body = taken
            while not self.stopping.is_set():
                try:
                    if connection is None:
                        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
                    connection.request(
                        "POST", "/api/v1/systems/load/predictions", body, {"Content-Type": self.content_type}
                    )
                    response = connection.getresponse()
                    answer = response.read()
                except (OSError, http.client.HTTPException):
                    # The server is gone: the same body is sent again, as a client would.
                    connection = None
                    time.sleep(0.05)
                    continue
                if response.status == 200:
                    told = json.loads(answer)
                    if told["rejected"]:
                        return self.give_up(f"rows were rejected: {answer[:500]}")
                    with self.lock:
                        self.acknowledged[number] = self.rows_of
                    break
                if response.status in (429, 503):
                    self.refused += 1
                    time.sleep(float(response.headers.get("Retry-After", "1")))
                    continue
                return self.give_up(f"{response.status}: {answer[:500]}")

    def give_up(self, why):
        print(why, file=sys.stderr)
        self.stopping.set()

    def run(self, clients):
        threads = [threading.Thread(target=self.client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        return threads


def rows_in_files(folder):
    ids = []
    for path in sorted(pathlib.Path(folder).rglob("*.parquet")):
        ids.append(pq.read_table(path, columns=["id"]).column("id"))
    return pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.string())


def floor(bodies):
    """Seconds to write the bodies to one file, with a wait for the disk after each."""
    with tempfile.NamedTemporaryFile(dir=".") as file:
        begun = time.perf_counter()
        for body in bodies:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        return time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forewarn", default="target/release/forewarn")
    parser.add_argument("--format", choices=FORMATS, action="append")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rows-of-request", type=int, default=5_000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    program = str(pathlib.Path(options.forewarn).resolve())
    for name in options.format or FORMATS:
        encode, content_type = FORMATS[name]
        rng = random.Random(7)
        of = options.rows_of_request
        # A few different bodies of values; the ids of each are its own.
        bodies = [encode(columns(first, of, rng)) for first in range(0, options.rows, of)]
        rows, size = of * len(bodies), sum(map(len, bodies))
        with tempfile.TemporaryDirectory(dir=".") as folder:
            (pathlib.Path(folder) / "forewarn.toml").write_text(DEFINITION)
            server = Server(program, folder)
            server.start()
            load = Load(server, bodies, content_type, of)
            begun = time.perf_counter()
            threads = load.run(options.clients)
            for kill in range(options.kills):
                share = (kill + 1) / (options.kills + 1)
                while len(load.acknowledged) < share * len(bodies) and any(t.is_alive() for t in threads):
                    time.sleep(0.005)
                server.kill()
                server.start()
            for thread in threads:
                thread.join()
            answered = time.perf_counter() - begun
            server.stop()
            sustained = time.perf_counter() - begun
            written = rows_in_files(folder)
            distinct = len(written.unique())
        if len(load.acknowledged) != len(bodies) or len(written) != rows or distinct != rows:
            sys.exit(
                f"{name}: {rows} rows were sent, {len(load.acknowledged) * of} acknowledged, "
                f"{len(written)} are in the files, {distinct} of them different"
            )
        killed = f", killed {options.kills} times" if options.kills else ""
        print(
            f"{name}: {rows:,} rows of 30 features, {size / rows:.0f} bytes each{killed}: "
            f"answered {rows / answered:,.0f}/s, sustained to files {rows / sustained:,.0f}/s, "
            f"{load.refused} times asked to wait; every row is in the files once. "
            f"The same bytes to one file, an fsync for each request: {rows / floor(bodies):,.0f}/s"
        )


if __name__ == "__main__":
    main()
