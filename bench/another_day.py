"""What another day costs: a year of daily files, nothing new, one more file, and DuckDB's scan of that file.

Usage: python3 bench/another_day.py [--rows N] [--times N] [--out FOLDER] [--runs N] [--forewarn FILE]

Needs cargo and Python 3.11; builds Forewarn unless --forewarn names a program that is built. Makes a seeded log of
361 daily files of --rows rows (default 2,000) and 32 columns below the folder (default target/bench), and one more
file, of a Sunday, which completes a week. With --times that file has so many times the rows: those of the last days,
dated on it. Every week, month and quarter is judged against the first quarter, without the domain classifier.
Prints a table in Markdown; with several runs each figure is the median.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from peers import HERE, ROOT, built, cargo, measured, python_of

DAYS = 361
DEFINITION = """[log]
path = "data"
time = "t"
score = "score"

[reference]
window = "2025-01-01/2025-04-01"

[monitor.multivariate]
enabled = false
"""
# Rows of the last days as rows of the last one; run by the Python of the environment `databases`.
MOVED = """
import sys, duckdb
files, to = sys.argv[1:-1], sys.argv[-1]
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
last = f"(SELECT date_trunc('day', max(t)) FROM read_parquet('{files[-1]}'))"
connection.execute(
    f"COPY (SELECT * REPLACE ({last} + (t - date_trunc('day', t)) AS t) FROM read_parquet({files}) ORDER BY t) "
    f"TO '{to}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)"
)
"""


def made(log, new_day, rows, times, python):
    """The log without its last day, and a folder with that day alone."""
    if not (log / "forewarn.toml").exists():
        days = DAYS + 1
        cargo("xtask", "generate-log", "--rows", str(days * rows), "--days", str(days), "--out", str(log))
    (log / "forewarn.toml").write_text(DEFINITION)
    files = sorted((log / "data").glob("part-*.parquet"))
    if len(files) > DAYS:
        held_back = log / "held-back.parquet"
        files[-1].rename(held_back)
    shutil.rmtree(new_day, ignore_errors=True)
    (new_day / "data").mkdir(parents=True)
    last = [*files[DAYS - times + 1 : DAYS], log / "held-back.parquet"]
    subprocess.run([python, "-c", MOVED, *last, new_day / "data/new.parquet"], check=True)


def one_run(program, log, new_day, python):
    """What each step took, in the order of the table."""
    shutil.rmtree(log / ".forewarn", ignore_errors=True)
    added = log / "data/new.parquet"
    added.unlink(missing_ok=True)
    before, after = ([program, "monitor", log, "--as-of", f"2025-12-{day}T00:00:00Z"] for day in (28, 29))
    steps = [measured(before, NO_LIMITS), measured(before, NO_LIMITS)]
    shutil.copyfile(new_day / "data/new.parquet", added)
    steps += [measured(after, NO_LIMITS), measured([python, HERE / "duckdb_scan.py", new_day], NO_LIMITS)]
    added.unlink()
    return steps


NO_LIMITS = (None, None)
STEPS = [
    "first run: all files profiled, every week, month and quarter judged",
    "the same again: nothing to do",
    "with the new file",
    "DuckDB 2.0.0: count and sum of the new file",
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000, help="rows of a day")
    parser.add_argument("--times", type=int, default=1, help="the new day has so many times the rows")
    parser.add_argument("--out", type=Path, default=ROOT / "target/bench")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--forewarn", type=Path, help="a program that is built; none is built then")
    asked = parser.parse_args()
    folder = asked.out.resolve()
    log, new_day = folder / f"days-{asked.rows}", folder / f"new-day-{asked.rows}-{asked.times}"
    if not asked.forewarn:
        cargo("build", "--release", "--package", "forewarn")
    python = python_of("databases", folder)
    made(log, new_day, asked.rows, asked.times, python)
    program = asked.forewarn or built("forewarn")
    runs = []
    for number in range(asked.runs):
        print(f"run {number + 1} of {asked.runs} …", file=sys.stderr)
        runs.append(one_run(program, log, new_day, python))
    print(f"\n{DAYS} files of {asked.rows:,} rows, one of {asked.times * asked.rows:,}, {os.cpu_count()} cores\n")
    print("| | wall | CPU | peak memory |\n|---|--:|--:|--:|")
    for step, of in zip(STEPS, zip(*runs)):
        wall, cpu, memory = (statistics.median(figures) for figures in list(zip(*of))[:3])
        print(f"| {step} | {wall:.1f} s | {cpu:.2f} s | {memory:,.0f} MiB |")


if __name__ == "__main__":
    main()
