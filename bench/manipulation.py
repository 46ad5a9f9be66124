"""The cheapest change that flips a decision: Forewarn's search beside HopSkipJump on the same models.

Usage: python3 bench/manipulation.py [--cases 100] [--queries 300] [--search PROGRAM] [--ours-only]

Needs cargo and Python 3.11 with the packages of bench/requirements-manipulation.txt. Models are made by scikit-learn,
written as ONNX and asked through ONNX Runtime by both sides; every row that either side asks about is counted here.
A change costs, for each feature, its distance times one over the interquartile range of the training rows, and the costs
add up. HopSkipJump (Adversarial Robustness Toolbox) works in units of that cost, with its mask for features that cannot
be changed and its clipping for bounds; it minimises the Euclidean or the largest distance, and both are run.
Prints tables in Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnxruntime
from art import __version__ as art_version
from art.attacks.evasion import HopSkipJump
from art.estimators.classification import BlackBoxClassifier
from skl2onnx import to_onnx
from sklearn import __version__ as sklearn_version
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROOT = Path(__file__).resolve().parent.parent
BUDGETS = (0.25, 0.5, 1.0, 2.0)
BUDGET = max(BUDGETS)
# (iterations, questions about directions in one, norm): little effort, some, and the package's own defaults.
EFFORTS = ((1, 100, 2), (4, 200, 2), (10, 1000, 2), (50, 10000, 2), (10, 1000, np.inf), (50, 10000, np.inf))


class Model:
    """A model behind ONNX Runtime that counts the rows that it is asked about."""

    def __init__(self, fitted, train):
        model = to_onnx(fitted, train[:1].astype(np.float32), options={"zipmap": False})
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        self.input = self.session.get_inputs()[0].name
        self.asked = 0

    def scores(self, rows):
        rows = np.asarray(rows, np.float32)
        self.asked += len(rows)
        return self.session.run(None, {self.input: rows})[1][:, 1].astype(float)


def problems(cases):
    """Name, model, training rows, cases, and which features can be changed."""
    cancer = load_breast_cancer()
    made, labels = make_classification(4000, 12, n_informative=8, n_redundant=2, class_sep=0.6, random_state=7)
    for data, (rows, wanted), mutable in (
        ("breast cancer, 10 of 30 features", (cancer.data, cancer.target), range(10)),
        ("made up, 8 of 12 features", (made, labels), range(8)),
    ):
        train, test, wanted_train, _ = train_test_split(rows, wanted, test_size=0.35, random_state=3)
        for kind, fitted in (
            ("logistic regression", make_pipeline(StandardScaler(), LogisticRegression())),
            ("neural network", make_pipeline(StandardScaler(), MLPClassifier((32, 16), max_iter=800, random_state=5))),
            ("boosted trees", HistGradientBoostingClassifier(max_iter=80, random_state=5)),
        ):
            fitted.fit(train.astype(np.float32), wanted_train)
            test_rows = test.astype(np.float32)[:cases].astype(float)
            yield f"{data}: {kind}", Model(fitted, train), train, test_rows, list(mutable)


def spread(train):
    ordered = np.sort(train, axis=0)
    at = lambda share: ordered[int(np.floor((len(ordered) - 1) * share + 0.5))]
    return at(0.75) - at(0.25)


def costs(before, after, unit):
    return np.abs(after - before) / unit


def ours(program, model, train, cases, mutable, queries, is_decision_only):
    names = [f"x{at:02}" for at in range(train.shape[1])]
    task = {
        "names": names,
        "cases": cases.tolist(),
        "data": train.tolist(),
        "constraints": {"features": {names[at]: {} for at in mutable}, "budget": BUDGET, "queries": queries},
        "threshold": 0.5,
        "seed": 1,
    }
    search = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    search.stdin.write(json.dumps(task) + "\n")
    search.stdin.flush()
    model.asked = 0
    while True:
        told = json.loads(search.stdout.readline())
        if "rows" not in told:
            break
        scores = model.scores(told["rows"])
        scores = (scores >= 0.5).astype(float) if is_decision_only else scores
        search.stdin.write(json.dumps(scores.tolist()) + "\n")
        search.stdin.flush()
    search.wait()
    after = np.full(cases.shape, np.nan)
    for found in told["found"]:
        if "after" in found:
            after[found["case"]] = cases[found["case"]]
            for name, value in found["after"]:
                after[found["case"], names.index(name)] = float(value)
    # Rows of the reference are asked once for all cases: their part is counted for each.
    return after, model.asked / len(cases)


def theirs(model, train, cases, mutable, effort, unit):
    iterations, evaluations, norm = effort
    np.random.seed(1)
    bounds = (train.min(axis=0) / unit, train.max(axis=0) / unit)
    mask = np.zeros(train.shape[1], np.float32)
    mask[mutable] = 1

    def decide(scaled):
        yes = (model.scores(scaled * unit) >= 0.5).astype(int)
        return np.eye(2)[yes]

    after, asked = np.full(cases.shape, np.nan), []
    for at, case in enumerate(cases):
        start = (case / unit).astype(np.float32)
        # Clipping must leave the case as it is, and the mask what cannot be changed.
        lower = np.minimum(bounds[0], start - 1e-3).astype(np.float32)
        upper = np.maximum(bounds[1], start + 1e-3).astype(np.float32)
        target = BlackBoxClassifier(decide, start.shape, 2, clip_values=(lower, upper))
        model.asked = 0
        attack = HopSkipJump(
            target, norm=norm, max_iter=iterations, max_eval=evaluations, init_eval=100, init_size=100, verbose=False
        )
        found = attack.generate(start[None], mask=mask[None])[0] * unit
        asked.append(model.asked)
        found[mask == 0] = case[mask == 0]
        if (model.scores(found[None]) >= 0.5) != (model.scores(case[None]) >= 0.5):
            after[at] = found
    return after, float(np.mean(asked))


def row(name, cases, after, asked, unit):
    each = costs(cases, after, unit)
    total, largest = each.sum(axis=1), each.max(axis=1)
    flipped = ~np.isnan(total)
    share = lambda values, most: f"{100 * np.mean(np.where(flipped, values, np.inf) <= most + 1e-9):.0f} %"
    median = f"{np.median(total[flipped]):.2f}" if flipped.any() else "–"
    cells = [name, f"{asked:,.0f}", *(share(total, most) for most in BUDGETS), median, share(largest, 0.25)]
    return "| " + " | ".join(cells) + " |"


def built():
    command = ["cargo", "build", "--release", "--package", "forewarn-stress", "--example", "manipulation_search"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release/examples/manipulation_search"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", type=int, default=100)
    options.add_argument("--queries", type=int, default=300)
    options.add_argument("--search", type=Path, help="the built example, where it is built already")
    options.add_argument("--ours-only", action="store_true")
    options = options.parse_args()
    program = options.search or built()
    print(f"scikit-learn {sklearn_version}, ONNX Runtime {onnxruntime.__version__}, ART {art_version}\n")
    for name, model, train, cases, mutable in problems(options.cases):
        unit = spread(train)
        print(f"**{name}**, {len(cases)} cases\n")
        budgets = " | ".join(f"≤ {most}" for most in BUDGETS)
        print(f"| | queries a case | {budgets} | median cost | no feature > 0.25 |")
        print("|---|" + "--:|" * (len(BUDGETS) + 3))
        for what, is_decision_only in (("Forewarn, scores", False), ("Forewarn, decisions", True)):
            after, asked = ours(program, model, train, cases, mutable, options.queries, is_decision_only)
            print(row(what, cases, after, asked, unit), flush=True)
        for effort in () if options.ours_only else EFFORTS:
            after, asked = theirs(model, train, cases, mutable, effort, unit)
            norm = "L∞" if effort[2] == np.inf else "L2"
            print(row(f"HopSkipJump {norm}, {effort[0]} × {effort[1]:,}", cases, after, asked, unit), flush=True)
        print()


if __name__ == "__main__":
    main()
