"""Drift of N against N rows: Forewarn beside its peers, and what DuckDB needs to read the rows at all.

Usage: python3 bench/peers.py --rows 1000000 [--out FOLDER] [--only NAME ...] [--runs N]
           [--forewarn FILE] [--memory GIB] [--minutes N]

Needs cargo and Python 3.11. It builds Forewarn, makes the virtual environments and a seeded log of
2 N rows (30 columns: 20 numeric, 10 categorical of up to 10,000 values) below the folder (default
target/bench), runs each program in a process of its own and prints a table in Markdown: wall time, CPU
seconds of the process and its children, peak memory, and CPU seconds as a multiple of the plain scan.
With several runs each figure is the median.

--forewarn takes a program that is already built. --memory limits the address space of each program
(RLIMIT_AS) and --minutes its CPU time (RLIMIT_CPU), for those that would otherwise take all of the machine; of
one that is stopped, the table says at which limit, how much it had used, and what it had done.
"""

import argparse
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PINNED = ROOT / "testdata/reference/requirements-peers.txt"
ENVIRONMENTS = {
    "databases": ["duckdb==2.0.0", "polars==2.1.0", "pytz==2026.6"],
    "peers": ["-r", str(PINNED)],
    "whylogs": [
        "whylogs==1.6.4",
        "pandas==2.3.3",
        "pyarrow==26.0.1",
        "scipy==1.17.1",
        "scikit-learn==1.9.1",
        "ipython==9.18.1",
    ],
}
# What is run: its name, what it computes, the environment and the script, or Forewarn's settings.
SCRIPTS = {
    "duckdb-scan": ("DuckDB 2.0.0: count and sum, nothing else", "databases", "duckdb_scan.py"),
    "duckdb-psi": ("DuckDB 2.0.0: PSI by hand", "databases", "peers/psi_duckdb.py"),
    "polars-psi": ("Polars 2.1.0: PSI by hand", "databases", "peers/psi_polars.py"),
    "nannyml": ("NannyML 0.13.1: univariate drift, all methods", "peers", "peers/nannyml_univariate.py"),
    "whylogs": ("whylogs 1.6.4: profiles and drift scores", "whylogs", "peers/whylogs_drift.py"),
    "evidently": ("Evidently 0.7.23: `DataDriftPreset`", "peers", "peers/evidently_preset.py"),
}
FOREWARN = {
    "forewarn": ("Forewarn: every drift statistic, data quality, the domain classifier", ""),
    "forewarn-columns": (
        "Forewarn: every drift statistic of single columns, data quality",
        "\n[monitor.multivariate]\nenabled = false\n",
    ),
}
WINDOW = "2025-03-12/2025-05-21"


def cargo(*words):
    subprocess.run(["cargo", *words], cwd=ROOT, check=True)


def built(name):
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / name


def python_of(environment, folder):
    """The Python of a virtual environment, which is made where it is missing."""
    home = folder / "venvs" / environment
    python = home / "bin/python"
    if not (home / "complete").exists():
        print(f"installing {environment} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *ENVIRONMENTS[environment]], check=True)
        (home / "complete").touch()
    return python


def measured(command, limits):
    """Wall seconds, CPU seconds, peak memory in MiB of a command as the system counts them, and why it was stopped."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        child = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: limit(*limits),
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        said = read(output)
    lines = said.strip().splitlines() or [""]
    stopped = None
    # Forewarn says with 1 that something drifted.
    if child.returncode not in (0, 1) or "Traceback" in said:
        stopped = limit_met(child.returncode, said, limits)
        if stopped is None:
            raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{said}")
    cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print(f"    {wall:.1f} s, CPU {cpu:.2f} s, {memory:,.0f} MiB; {lines[-1][:120]}", file=sys.stderr)
    return wall, cpu, memory, stopped


def limit(memory, minutes):
    for which, value in ((resource.RLIMIT_AS, memory and memory << 30), (resource.RLIMIT_CPU, minutes and 60 * minutes)):
        if value:
            resource.setrlimit(which, (value, value))


def limit_met(status, said, limits):
    """Which limit stopped a program, and how far it was; `None` where none did."""
    memory, minutes = limits
    reached = [line for line in said.splitlines() if line.startswith("reached: ")]
    far = reached[-1].removeprefix("reached: ") if reached else "nothing yet"
    if minutes and status in (-signal.SIGKILL, -signal.SIGXCPU):
        return f"killed after {minutes} minutes of CPU; done: {far}"
    if memory and any(word in said for word in ("MemoryError", "bad_alloc", "malloc", "out of memory")):
        return f"killed at {memory} GiB; done: {far}"
    return None


def read(file):
    file.seek(0)
    return file.read()


def forewarn(program, settings, log, limits):
    """A run with no profiles at hand: everything is read and computed."""
    shutil.rmtree(log / ".forewarn", ignore_errors=True)
    definition = (log / "forewarn.toml").read_text().split("\n[monitor")[0]
    (log / "forewarn.toml").write_text(definition + settings)
    return measured([program, "monitor", log, "--window", WINDOW], limits)


def run(name, asked, folder, log):
    limits = (asked.memory, asked.minutes)
    if name in FOREWARN:
        return forewarn(asked.forewarn or built("forewarn"), FOREWARN[name][1], log, limits)
    _, environment, script = SCRIPTS[name]
    return measured([python_of(environment, folder), HERE / script, log], limits)


def main():
    names = [*FOREWARN, *SCRIPTS]
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each side")
    parser.add_argument("--out", type=Path, default=ROOT / "target/bench")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--forewarn", type=Path, help="a program that is built; none is built then")
    parser.add_argument("--memory", type=int, help="GiB of address space at most")
    parser.add_argument("--minutes", type=int, help="CPU time at most")
    asked = parser.parse_args()
    folder = asked.out.resolve()
    log = folder / f"log-{asked.rows}"
    if not asked.forewarn:
        cargo("build", "--release", "--package", "forewarn")
    if not (log / "forewarn.toml").exists():
        cargo("xtask", "generate-log", "--rows", str(2 * asked.rows), "--out", str(log))
    figures = {}
    for name in asked.only:
        print(f"{name} …", file=sys.stderr)
        *runs, stopped = zip(*(run(name, asked, folder, log) for _ in range(asked.runs)))
        figures[name] = [*map(statistics.median, runs), next(filter(None, stopped), None)]
    words = {name: of[0] for name, of in {**FOREWARN, **SCRIPTS}.items()}
    scan = figures.get("duckdb-scan", [0, 0])[1]
    print(f"\n{asked.rows:,} against {asked.rows:,} rows, 30 columns, {os.cpu_count()} cores\n")
    print("| | wall | CPU | peak memory | CPU ÷ scan |\n|---|--:|--:|--:|--:|")
    for name, (wall, cpu, memory, stopped) in figures.items():
        ratio = f"{cpu / scan:.1f}" if scan else "–"
        said = f", {stopped}" if stopped else ""
        print(f"| {words[name]}{said} | {wall:.1f} s | {cpu:.1f} s | {memory:,.0f} MiB | {ratio} |")


if __name__ == "__main__":
    main()
