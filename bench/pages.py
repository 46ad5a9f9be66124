"""How fast the pages of `forewarn serve` answer, with the flights year and many systems.

    python3 bench/pages.py --forewarn target/release/forewarn [--systems 100] [--requests 200]

Makes so many systems of examples/flights (the same log, an id and a state of their own), starts one server, waits
until it has made up for every window of the year, and then asks for each page again and again over one connection
that stays open. Prints the median, the 99th percentile and the slowest of each page, from the request to the last
byte of the answer, and the memory of the server.
"""

import argparse
import http.client
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "flights"


def make(folder, systems):
    text = (EXAMPLE / "forewarn.toml").read_text()
    for at in range(systems):
        of = folder / f"flights-{at:03}"
        of.mkdir()
        for data in EXAMPLE.iterdir():
            if data.name != "forewarn.toml" and not data.name.startswith("."):
                (of / data.name).symlink_to(data)
        named, count = re.subn(r'(?m)^id = "[^"]*"$', f'id = "flights-{at:03}"', text, count=1)
        assert count == 1
        (of / "forewarn.toml").write_text(named)


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
            make(folder, options.systems)
        command = [options.forewarn, "serve", str(folder), "--insecure-no-auth", "--listen", "127.0.0.1:0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = int(server.stdout.readline().rstrip().rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        begun = time.perf_counter()
        while True:
            _, body = get(connection, "/metrics")
            text = body.decode()
            open_jobs = sum(float(n) for n in re.findall(r"(?m)^forewarn_jobs\{[^}]*\} (\S+)$", text))
            done = len(re.findall(r"(?m)^forewarn_job_last_success_timestamp_seconds", text))
            if open_jobs == 0 and done >= 2 * options.systems:
                break
            time.sleep(1)
        print(f"{options.systems} systems, everything made up for after {time.perf_counter() - begun:.0f} s")
        records = sum(float(n) for n in re.findall(r"(?m)^forewarn_evidence_records\{[^}]*\} (\S+)$", text))
        # The turn that evaluates alerts after the last job.
        time.sleep(20)
        paths = [
            "/",
            "/systems/flights-000",
            "/systems/flights-000/evaluate",
            "/systems/flights-000/brief",
            "/systems/flights-000/compare",
            "/systems/flights-000/checks/monitor.drift",
            "/systems/flights-000/columns/temp",
            "/alerts",
            "/evidence",
            "/jobs",
            "/search?q=d",
            "/metrics",
            "/api/v1/systems",
        ]
        for path in paths:
            times = sorted(get(connection, path)[0] * 1000 for _ in range(options.requests))
            size = len(get(connection, path)[1])
            p99 = times[min(len(times) - 1, int(0.99 * len(times)))]
            print(f"{path:45} median {statistics.median(times):6.1f} ms  p99 {p99:6.1f}  slowest {times[-1]:6.1f}  {size // 1024:5} KiB")
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        memory = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024
        print(f"{records:,.0f} records of evidence, {memory} MiB of memory")
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
