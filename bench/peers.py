"""Drift of N against N rows: Forewarn beside its peers, and what DuckDB needs to read the rows at all.

Usage: python3 bench/peers.py --rows 1000000 [--out FOLDER] [--only NAME ...] [--runs N]

Needs cargo and Python 3.11. It builds Forewarn, makes the virtual environments and a seeded log of
2 N rows (30 columns: 20 numeric, 10 categorical of up to 10,000 values) below the folder (default
target/bench), runs each program in a process of its own and prints a table in Markdown: wall time, CPU
seconds of the process and its children, peak memory, and CPU seconds as a multiple of the plain scan.
With several runs each figure is the median.
"""

import argparse
import os
import shutil
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


def measured(command):
    """Wall seconds, CPU seconds and peak memory in MiB of a command, as the system counts them."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        # Forewarn says with 1 that something drifted.
        if child.returncode not in (0, 1) or "Traceback" in (said := read(output)):
            raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{read(output)}")
    print("    " + (said.strip().splitlines() or [""])[-1][:120], file=sys.stderr)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def read(file):
    file.seek(0)
    return file.read()


def forewarn(settings, log):
    """A run with no profiles at hand: everything is read and computed."""
    shutil.rmtree(log / ".forewarn", ignore_errors=True)
    definition = (log / "forewarn.toml").read_text().split("\n[monitor")[0]
    (log / "forewarn.toml").write_text(definition + settings)
    return measured([built("forewarn"), "monitor", log, "--window", WINDOW])


def run(name, folder, log):
    if name in FOREWARN:
        return forewarn(FOREWARN[name][1], log)
    _, environment, script = SCRIPTS[name]
    return measured([python_of(environment, folder), HERE / script, log])


def main():
    names = [*FOREWARN, *SCRIPTS]
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each side")
    parser.add_argument("--out", type=Path, default=ROOT / "target/bench")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--runs", type=int, default=1)
    asked = parser.parse_args()
    folder = asked.out.resolve()
    log = folder / f"log-{asked.rows}"
    cargo("build", "--release", "--package", "forewarn")
    if not (log / "forewarn.toml").exists():
        cargo("xtask", "generate-log", "--rows", str(2 * asked.rows), "--out", str(log))
    figures = {}
    for name in asked.only:
        print(f"{name} …", file=sys.stderr)
        runs = [run(name, folder, log) for _ in range(asked.runs)]
        figures[name] = [statistics.median(of) for of in zip(*runs)]
    words = {name: of[0] for name, of in {**FOREWARN, **SCRIPTS}.items()}
    scan = figures.get("duckdb-scan", [0, 0, 0])[1]
    print(f"\n{asked.rows:,} against {asked.rows:,} rows, 30 columns, {os.cpu_count()} cores\n")
    print("| | wall | CPU | peak memory | CPU ÷ scan |\n|---|--:|--:|--:|--:|")
    for name, (wall, cpu, memory) in figures.items():
        ratio = f"{cpu / scan:.1f}" if scan else "–"
        print(f"| {words[name]} | {wall:.1f} s | {cpu:.1f} s | {memory:,.0f} MiB | {ratio} |")


if __name__ == "__main__":
    main()
