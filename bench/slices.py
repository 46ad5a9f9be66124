"""Slice search: Forewarn beside the package sliceline on the same table.

Usage: python3 bench/slices.py [--rows 50000] [--columns 30] [--large] [--out FOLDER] [--runs N]

Needs cargo and Python 3.11. It makes the virtual environment and a seeded table (8 to 10 codes a column,
three planted slices) below the folder (default target/bench), runs both programs in processes of their own,
once with losses of 0 and 1 and once with squared errors, holds the scores that they find against each other
and prints a table in Markdown: wall and CPU seconds of the search alone, peak memory of the process. With
--large Forewarn alone searches 1,000,000 rows of 50 columns. With several runs each figure is the median.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PINNED = ROOT / "testdata/reference/requirements-slices.txt"
LOSSES = {"wrong": "0 and 1", "squared": "squared errors"}
K, ALPHA, LEVEL_MAX = 10, 0.95, 3


def python_of(folder):
    """The Python of the virtual environment, which is made where it is missing."""
    home = folder / "venvs/slices"
    python = home / "bin/python"
    if not (home / "complete").exists():
        print("installing sliceline …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", PINNED], check=True)
        (home / "complete").touch()
    return python


def built():
    command = ["cargo", "build", "--release", "--package", "forewarn-stats", "--example", "slice_search"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release/examples/slice_search"


def answer(command):
    """The last line of what a command prints, as JSON."""
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def median(answers):
    figures = {key: statistics.median(a[key] for a in answers) for key in ("wall", "cpu", "peak_mib")}
    return {**figures, "slices": answers[0]["slices"]}


def table(python, folder, rows, columns, loss):
    file = folder / f"slices-{rows}x{columns}-{loss}.bin"
    if not file.exists():
        subprocess.run([python, HERE / "peers/slices_table.py", file, str(rows), str(columns), loss], check=True)
    return file


def check_equal(ours, theirs):
    """The peer returns all slices that tie with the last."""
    for mine, other in zip(ours, theirs, strict=False):
        if abs(mine["score"] - other["score"]) > 1e-9:
            raise SystemExit(f"different scores: {mine} and {other}")
    if len(ours) != min(K, len(theirs)):
        raise SystemExit(f"{len(ours)} slices here, {len(theirs)} there")


def line(name, of):
    return f"| {name} | {of['wall']:.2f} s | {of['cpu']:.2f} s | {of['peak_mib']:,.0f} MiB |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--large", action="store_true", help="1,000,000 x 50, Forewarn alone")
    parser.add_argument("--out", type=Path, default=ROOT / "target/bench")
    parser.add_argument("--runs", type=int, default=1)
    asked = parser.parse_args()
    rows, columns = (1_000_000, 50) if asked.large else (asked.rows, asked.columns)
    folder = asked.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python, program = python_of(folder), built()
    options = [K, ALPHA, max(rows // 100, 32), LEVEL_MAX]
    print(f"\n{rows:,} rows, {columns} columns; k {K}, alpha {ALPHA}, at least {options[2]:,} rows, {LEVEL_MAX} conditions\n")
    print("| | wall | CPU | peak memory |\n|---|--:|--:|--:|")
    for loss, words in LOSSES.items():
        file = table(python, folder, rows, columns, loss)
        ours = {
            threads: median([answer([program, file, *options, threads]) for _ in range(asked.runs)])
            for threads in (1, 2)
        }
        for threads, of in ours.items():
            print(line(f"Forewarn, {words}, {threads} thread{'s' * (threads > 1)}", of))
        if asked.large:
            continue
        peer = [python, HERE / "peers/slices_sliceline.py", file, *options]
        theirs = median([answer(peer) for _ in range(asked.runs)])
        print(line(f"sliceline 0.3.0, {words}", theirs))
        check_equal(ours[1]["slices"], theirs["slices"])
        one = ours[1]
        cpu, memory = theirs["cpu"] / max(one["cpu"], 0.01), theirs["peak_mib"] / one["peak_mib"]
        print(f"| {words}: same scores; the package over one thread of Forewarn | {theirs['wall'] / one['wall']:.0f} × | {cpu:.0f} × | {memory:.0f} × |")


if __name__ == "__main__":
    main()
