"""Evaluation of a log with 20 segments: Forewarn beside scikit-learn on the same rows.

Usage: python3 bench/evaluate.py [--rows 10000000] [--decimals 4] [--out FOLDER] [--runs N] [--program FILE] [--keep]

Needs cargo and Python 3.11. It builds Forewarn (or takes --program), makes the virtual environment and a seeded
log in Parquet (six features, a segment of 20 values, scores of four decimals, outcomes whose odds differ by
segment) below the folder (default target/bench), and runs, each in a process of its own: `forewarn evaluate`
with all that it does by default; the same with only the checks that scikit-learn has metrics for; and scikit-learn
on the three columns that it needs. It compares the values and prints a table in Markdown: wall and CPU seconds,
peak memory. With several runs each figure is the median; the programs take turns. The log, 19 MB for a million
rows, is deleted afterwards unless --keep is given.
"""

import argparse
import json
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
PINNED = ["scikit-learn==1.9.1", "pandas==2.3.3", "pyarrow==26.0.1", "numpy==2.4.6"]
SEGMENTS = 20
BINS = 10
REFERENCE_ROWS = 200_000
ROWS_OF_FILE = 1_000_000
REFERENCE = "2025-01-06/2025-02-03"
WINDOW = "2025-02-03/2025-03-03"
METRICS = ["roc_auc", "average_precision", "accuracy", "precision", "recall", "f1", "brier", "log_loss"]
TOLERANCE = 1e-3
DEFINITION = f"""
[system]
id = "bench"
name = "Evaluation at scale"
purpose = "Shows what an evaluation takes"
owner = "nobody"
tier = "minimal"

[model]
version = "1"
task = "binary"

[log]
path = "data"
id = "id"
time = "at"
score = "score"
outcome = {{ column = "label" }}
segments = ["segment"]

[reference]
window = "{REFERENCE}"

[[source]]
name = "inputs"
features = ["amount", "age", "ratio", "visits", "channel", "product"]
"""
# Beyond these, scikit-learn has no counterpart.
SKIPPED = ["evaluate.slices", "evaluate.worst_subpopulation", "evaluate.errors", "evaluate.tail"]
FOREWARN = {
    "everything": ("Forewarn: all checks", []),
    "averages": ("Forewarn: performance, segments and calibration, with intervals", SKIPPED),
}
PEER = "scikit-learn 1.9.1: the same metrics, no intervals"


def write_log(folder, rows, decimals):
    """The log, a file for each stretch of the window; the files of the window begin with `window`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(20250203)
    shifts = np.linspace(-0.3, 0.3, SEGMENTS)
    data = folder / "data"
    data.mkdir(parents=True)

    def write(name, first, count, begin, end):
        score = np.clip(np.round(rng.beta(1.2, 2.0, count), decimals), 0.0001, 0.9999)
        segment = rng.integers(0, SEGMENTS, count)
        odds = score / (1 - score) * np.exp(shifts[segment])
        amount = np.round(rng.lognormal(3, 1, count), 2)
        names = [f"segment-{of:02}" for of in range(SEGMENTS)]
        kinds = [f"product-{of}" for of in range(30)]
        columns = {
            "id": pa.array(np.arange(first, first + count)),
            "at": pa.array(np.sort(rng.integers(begin, end, count)), pa.timestamp("us")),
            "score": pa.array(score),
            "label": pa.array((rng.random(count) < odds / (1 + odds)).astype(np.int8)),
            "segment": pa.DictionaryArray.from_arrays(segment.astype(np.int32), names).cast(pa.string()),
            "amount": pa.array(amount),
            "age": pa.array(rng.integers(18, 90, count).astype(np.int16)),
            "ratio": pa.array(np.round(rng.normal(score, 0.3), 3).astype(np.float32)),
            "visits": pa.array(rng.poisson(4, count).astype(np.int16)),
            "channel": pa.array(rng.choice(["web", "shop", "phone"], count, p=[0.6, 0.3, 0.1])),
            "product": pa.DictionaryArray.from_arrays(rng.integers(0, 30, count).astype(np.int32), kinds).cast(pa.string()),
        }
        pq.write_table(pa.table(columns), data / f"{name}.parquet")

    def instants(window):
        return [int(np.datetime64(day, "us").astype(np.int64)) for day in window.split("/")]

    write("reference", 0, REFERENCE_ROWS, *instants(REFERENCE))
    begin, end = instants(WINDOW)
    starts = range(0, rows, ROWS_OF_FILE)
    edges = [begin + (end - begin) * start // rows for start in starts] + [end]
    for file, start in enumerate(starts):
        count = min(ROWS_OF_FILE, rows - start)
        write(f"window-{file:03}", REFERENCE_ROWS + start, count, edges[file], edges[file + 1])


def scikit_learn(folder):
    """The metrics of the window, printed as JSON."""
    import pandas as pd
    from sklearn import metrics
    from sklearn.calibration import calibration_curve

    files = sorted((folder / "data").glob("window-*.parquet"))
    table = pd.concat((pd.read_parquet(file, columns=["score", "label", "segment"]) for file in files), ignore_index=True)
    label, score = table["label"].to_numpy(), table["score"].to_numpy()
    called = score >= 0.5
    values = {
        "roc_auc": metrics.roc_auc_score(label, score),
        "average_precision": metrics.average_precision_score(label, score),
        "accuracy": metrics.accuracy_score(label, called),
        "precision": metrics.precision_score(label, called),
        "recall": metrics.recall_score(label, called),
        "f1": metrics.f1_score(label, called),
        "brier": metrics.brier_score_loss(label, score),
        "log_loss": metrics.log_loss(label, score),
    }
    segments = {
        name: metrics.roc_auc_score(rows["label"].to_numpy(), rows["score"].to_numpy())
        for name, rows in table.groupby("segment")
    }
    happened, said = calibration_curve(label, score, n_bins=BINS, strategy="quantile")
    curve = [list(pair) for pair in zip(said, happened)]
    print(json.dumps({"values": values, "segments": segments, "curve": curve}, default=float))


def python_of(folder):
    """The Python of the virtual environment, which is made where it is missing."""
    home = folder / "venvs/evaluate"
    python = home / "bin/python"
    if not (home / "complete").exists():
        print("installing scikit-learn …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED], check=True)
        (home / "complete").touch()
    return python


def built():
    subprocess.run(["cargo", "build", "--release", "--package", "forewarn"], cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/forewarn"


def measured(command):
    """What a command prints, as JSON, with its wall seconds, CPU seconds and peak memory in MiB."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        child = subprocess.Popen([str(word) for word in command], stdout=output)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
        # Forewarn says with 1 that a check did not pass.
        if child.returncode not in (0, 1) or not said:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{said}")
    figures = wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print(f"    {figures[0]:.1f} s wall, {figures[1]:.1f} s CPU, {figures[2]:,.0f} MiB", file=sys.stderr)
    return figures, json.loads(said)


def forewarn(program, log, skipped):
    """An evaluation with nothing at hand from an earlier one."""
    shutil.rmtree(log / ".forewarn", ignore_errors=True)
    (log / "forewarn.toml").write_text(f"{DEFINITION}\n[evaluate]\nskip = {json.dumps(skipped)}\n")
    return measured([program, "evaluate", log, "--window", WINDOW, "--format", "json"])


def differences(report, theirs):
    """Values that should be the same: the name, ours, theirs, and what ours says that it may be off by."""
    finding = {of["check"]: of for of in report["findings"]}
    measures = {of["name"]: of for of in finding["evaluate.performance"]["measures"]}
    pairs = [(name, measures[name], theirs["values"][name]) for name in METRICS]
    segments = {of["value"]: of["measure"] for of in finding["evaluate.worst_segment"]["detail"]["rows"]}
    pairs += [(f"roc_auc of {name}", segments[name], value) for name, value in theirs["segments"].items()]
    compared = [(name, of["value"], value, of.get("error_bound", 0.0)) for name, of, value in pairs]
    for at, (ours, (said, happened)) in enumerate(
        zip(finding["evaluate.calibration"]["detail"]["bins"], theirs["curve"], strict=True), start=1
    ):
        compared.append((f"mean score of bin {at}", ours["score_mean"], said, None))
        compared.append((f"outcomes of bin {at}", ours["outcome_share"], happened, None))
    return compared


def say_differences(compared):
    """The largest differences; ends the program where values do not agree."""
    metrics = [of for of in compared if of[3] is not None]
    curve = [of for of in compared if of[3] is None]
    name, ours, theirs, _ = max(metrics, key=lambda of: abs(of[1] / of[2] - 1))
    largest = abs(ours / theirs - 1)
    print(f"Largest relative difference of {len(metrics)} metrics: {largest:.1e} ({name}: {ours:.9f}, {theirs:.9f}).")
    for name, ours, theirs, bound in metrics:
        if abs(ours - theirs) > bound + 1e-9:
            print(f"Beyond its error bound of {bound:.1e}: {name}, {ours:.9f} for {theirs:.9f}.")
    name, ours, theirs, _ = max(curve, key=lambda of: abs(of[1] - of[2]))
    gap = abs(ours - theirs)
    print(f"Largest difference of {BINS} calibration bins, which may end at other scores: {gap:.1e} ({name}).")
    if largest > TOLERANCE or gap > TOLERANCE:
        raise SystemExit("the values do not agree")


def line(name, figures):
    wall, cpu, memory = figures
    return f"| {name} | {wall:.1f} s | {cpu:.1f} s | {memory:,.0f} MiB |"


def compare(asked, folder, log):
    python, program = python_of(folder), asked.program.resolve() if asked.program else built()
    inner = [python, HERE / "evaluate.py", "--rows", asked.rows, "--out", folder, "--inner"]
    shutil.rmtree(log, ignore_errors=True)
    subprocess.run([str(word) for word in [*inner, "log", "--decimals", asked.decimals]], check=True)
    load = os.getloadavg()[0]
    runs = {name: [] for name in [*FOREWARN, PEER]}
    for _ in range(asked.runs):
        for name, (words, skipped) in FOREWARN.items():
            print(f"{words} …", file=sys.stderr)
            figures, report = forewarn(program, log, skipped)
            runs[name].append(figures)
        print(f"{PEER} …", file=sys.stderr)
        figures, theirs = measured([*inner, "scikit-learn"])
        runs[PEER].append(figures)
    medians = {name: [statistics.median(of) for of in zip(*figures)] for name, figures in runs.items()}
    print(
        f"\n{asked.rows:,} rows of {asked.decimals} decimals, {SEGMENTS} segments, {REFERENCE_ROWS:,} rows of reference; "
        f"{os.cpu_count()} cores, load {load:.1f} before and {os.getloadavg()[0]:.1f} after; median of {asked.runs}\n"
    )
    print("| | wall | CPU | peak memory |\n|---|--:|--:|--:|")
    for name, (words, _) in FOREWARN.items():
        print(line(words, medians[name]))
    print(line(PEER, medians[PEER]))
    for name, (words, _) in FOREWARN.items():
        ratios = [theirs / ours for theirs, ours in zip(medians[PEER], medians[name])]
        print(f"| scikit-learn over {words} | " + " | ".join(f"{ratio:.2f} ×" for ratio in ratios) + " |")
    print()
    say_differences(differences(report, theirs))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--decimals", type=int, default=4, help="of the scores; beyond 4, Forewarn rounds them")
    parser.add_argument("--out", type=Path, default=ROOT / "target/bench")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--program", type=Path, help="a forewarn that is built already")
    parser.add_argument("--keep", action="store_true", help="keep the log")
    parser.add_argument("--inner", choices=["log", "scikit-learn"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    folder = asked.out.resolve()
    log = folder / f"evaluate-{asked.rows}"
    if asked.inner == "log":
        write_log(log, asked.rows, asked.decimals)
    elif asked.inner == "scikit-learn":
        scikit_learn(log)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            compare(asked, folder, log)
        finally:
            if not asked.keep:
                shutil.rmtree(log, ignore_errors=True)


if __name__ == "__main__":
    main()
