"""How fast the pages of `forewarn serve` answer, with the flights year and many systems.

    python3 bench/pages.py --forewarn target/release/forewarn [--systems 100] [--requests 200]

Computes the year of examples/flights once, with `forewarn monitor` and `forewarn evaluate`. For each further system
the same records are written down again under another id and definition, hashed anew, and taken in with `forewarn
evidence import`, so that there are as many systems with a year of evidence each and nobody waits for all to be
computed. Then one server serves them, and each page is asked for again and again over one connection that stays
open. Prints the median, the 99th percentile and the slowest of each page, from the request to the last byte of the
answer, the first answer by itself, and the memory of the server.
"""

import argparse
import hashlib
import http.client
import pathlib
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "flights"
HASH = '{"hash":"'
FIRST = "0" * 64
PATHS = [
    "/",
    "/systems/flights-000",
    "/systems/flights-000/evaluate",
    "/systems/flights-000/govern",
    "/systems/flights-000/brief",
    "/systems/flights-000/compare",
    "/systems/flights-000/checks/monitor.drift",
    "/systems/flights-000/columns/temp",
    "/alerts",
    "/evidence",
    "/evidence/flights-000/7",
    "/jobs",
    "/search?q=d",
    "/metrics",
    "/api/v1/systems",
]


def definition(at):
    text = (EXAMPLE / "forewarn.toml").read_text()
    named, count = re.subn(r'(?m)^id = "[^"]*"$', f'id = "flights-{at:03}"', text, count=1)
    assert count == 1
    return named


def make(folder, at):
    of = folder / f"flights-{at:03}"
    of.mkdir()
    for data in EXAMPLE.iterdir():
        if data.name != "forewarn.toml" and not data.name.startswith("."):
            (of / data.name).symlink_to(data)
    (of / "forewarn.toml").write_text(definition(at))
    return of


def rewritten(lines, at):
    """The records of the first system as those of another one; a line is the hash of its record, and the record."""
    ids = (f'"system":"flights-{0:03}"', f'"system":"flights-{at:03}"')
    hashes = [hashlib.sha256(definition(of).encode()).hexdigest() for of in (0, at)]
    previous = FIRST
    for line in lines:
        record = line[len(HASH) + 64 + len('","record":') : -1]
        record = re.sub(r'"previous":"[0-9a-f]{64}"', f'"previous":"{previous}"', record, count=1)
        record = record.replace(*ids, 1).replace(f'"definition":"{hashes[0]}"', f'"definition":"{hashes[1]}"', 1)
        previous = hashlib.sha256(record.encode()).hexdigest()
        yield f'{HASH}{previous}","record":{record}}}\n'


def fill(program, folder, systems):
    database = ["--database", f"sqlite:{folder}/.forewarn/state.db"]
    first = make(folder, 0)
    (folder / ".forewarn").mkdir()
    for command in ["monitor", "evaluate"]:
        done = subprocess.run([program, command, str(first), *database], stdout=subprocess.DEVNULL)
        assert done.returncode in (0, 1), command
    exported = subprocess.run([program, "evidence", "export", str(first), *database], stdout=subprocess.PIPE, text=True)
    lines = exported.stdout.splitlines()
    # Nothing has changed but what must: the first system comes out as it went in.
    assert [line + "\n" for line in lines] == list(rewritten(lines, 0))
    for at in range(1, systems):
        of = make(folder, at)
        file = folder / "lines.jsonl"
        file.write_text("".join(rewritten(lines, at)))
        subprocess.run(
            [program, "evidence", "import", str(file), str(of), *database], stdout=subprocess.DEVNULL, check=True
        )
    # Nothing is due before the next cadence: what is timed is pages and not jobs.
    with sqlite3.connect(folder / ".forewarn" / "state.db") as state:
        now = int(time.time() * 1_000_000)
        for at in range(systems):
            for kind in ["monitor", "evaluate"]:
                state.execute(
                    "INSERT INTO planned (system, kind, until_us) VALUES (?, ?, ?)", (f"flights-{at:03}", kind, now)
                )


def get(connection, path):
    begun = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, (path, response.status, body[:300])
    return time.perf_counter() - begun, body


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forewarn", default="target/release/forewarn")
    parser.add_argument("--systems", type=int, default=100)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--keep", help="a folder that keeps the systems for the next time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary)
        folder.mkdir(exist_ok=True)
        if not any(folder.glob("*/forewarn.toml")):
            fill(options.forewarn, folder, options.systems)
        command = [options.forewarn, "serve", str(folder), "--insecure-no-auth", "--listen", "127.0.0.1:0"]
        begun = time.perf_counter()
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = int(server.stdout.readline().rstrip().rsplit(":", 1)[1])
        print(f"{options.systems} systems, serving after {time.perf_counter() - begun:.1f} s")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        # The first turn verifies all evidence and evaluates all alerts.
        while True:
            _, body = get(connection, "/metrics")
            verified = len(re.findall(r"(?m)^forewarn_evidence_intact\{[^}]*\} 1", body.decode()))
            if verified == options.systems:
                break
            time.sleep(1)
        print(f"all evidence verified after {time.perf_counter() - begun:.1f} s")
        records = sum(float(n) for n in re.findall(r"(?m)^forewarn_evidence_records\{[^}]*\} (\S+)$", body.decode()))
        for path in PATHS:
            first, body = get(connection, path)
            times = sorted(get(connection, path)[0] * 1000 for _ in range(options.requests))
            p99 = times[min(len(times) - 1, int(0.99 * len(times)))]
            print(
                f"{path:44} first {first * 1000:7.1f} ms, median {statistics.median(times):6.1f}, "
                f"p99 {p99:6.1f}, slowest {times[-1]:6.1f}; {len(body) // 1024:4} KiB"
            )
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        memory = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024
        processor = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        before = int(processor[11]) + int(processor[12])
        time.sleep(60)
        processor = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        idle = (int(processor[11]) + int(processor[12]) - before) / 100
        print(f"{records:,.0f} records of evidence, {memory} MiB of memory, {idle:.1f} s of processor in an idle minute")
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
