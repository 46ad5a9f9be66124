"""Slice search: Forewarn beside the package sliceline on the same table.

Usage: python3 bench/slices.py [--rows 50000] [--columns 30] [--large] [--out FOLDER] [--runs N]

Needs cargo and Python 3.11. It makes the virtual environment and a seeded table (8 to 10 codes a column,
three planted slices) below the folder (default target/bench), runs both programs in processes of their own,
once with losses of 0 and 1 and once with squared errors, recomputes the scores of what they find, looks whether
either misses a slice of the other, and prints a table in Markdown: wall and CPU seconds of the search alone,
peak memory of the process. With --large Forewarn alone searches 1,000,000 rows of 50 columns. With several
runs each figure is the median. The package may use 16 GB at most: where few slices are bad it asks for more.
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
MEMORY_MAX = 16 * 2**30


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


def recomputed(python, file, slices):
    """The scores of slices, from their rows."""
    command = [python, HERE / "peers/slices_check.py", file, str(ALPHA)]
    done = subprocess.run(command, check=True, input=json.dumps(slices), stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def missed(python, file, ours, theirs):
    """How many of our slices the package does not return, after a look at whether all scores are right.

    It numbers slices by a product of the columns' cardinalities in floating point. With 30 columns that is
    beyond 2^53, numbers coincide, and what coincides is dropped; so it may return less than the best.
    """
    for slices in (ours, theirs):
        for found, score in zip(slices, recomputed(python, file, slices)):
            if abs(found["score"] - score) > 1e-9:
                raise SystemExit(f"the score of {found} is {score}")
    least = min(of["score"] for of in ours) - 1e-9
    known = {str(of["conditions"]) for of in ours}
    for other in theirs:
        if str(other["conditions"]) not in known and other["score"] > least + 2e-9:
            raise SystemExit(f"not found: {other}")
    of_theirs = {str(of["conditions"]) for of in theirs}
    return sum(str(of["conditions"]) not in of_theirs for of in ours)


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
        peer = [python, HERE / "peers/slices_sliceline.py", file, *options, MEMORY_MAX]
        try:
            theirs = median([answer(peer) for _ in range(asked.runs)])
        except subprocess.CalledProcessError as error:
            print(f"| sliceline 0.3.0, {words} | – | – | ended with {error.returncode} |")
            continue
        print(line(f"sliceline 0.3.0, {words}", theirs))
        of_one = ours[1]
        ratios = [theirs[key] / max(of_one[key], 0.01) for key in ("wall", "cpu", "peak_mib")]
        lost = missed(python, file, of_one["slices"], theirs["slices"])
        print(
            f"| the package over one thread of Forewarn; {lost} of {len(of_one['slices'])} slices missed by it | "
            + " | ".join(f"{ratio:,.0f} ×" for ratio in ratios)
            + " |"
        )


if __name__ == "__main__":
    main()
