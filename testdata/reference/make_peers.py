"""Writes what Evidently and NannyML report of the same columns, for `crates/stats/tests/peers.rs`.

    python -m venv venv && venv/bin/pip install -r requirements-peers.txt && venv/bin/python make_peers.py

Evidently's results come from `Report([ValueDrift(...)])`, NannyML's from `UnivariateDriftCalculator`;
nothing is computed here. A case has the reference in chunks of `chunk_size` rows (the last one may be
shorter), and the current window, which is one chunk; each as values with their counts. A method that
the peer does not finish has the error's text, one that gives NaN has null.
"""

import json
import math
import os
import pathlib
import warnings
from importlib.metadata import version

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
os.environ["DO_NOT_TRACK"] = "1"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.legacy.calculations.stattests.registry import get_registered_stattest  # noqa: E402
from evidently.metrics import ValueDrift  # noqa: E402
from nannyml import UnivariateDriftCalculator  # noqa: E402

FOLDER = pathlib.Path(__file__).parent
TOOLS = ["evidently", "nannyml", "numpy", "scipy", "pandas"]
EVIDENTLY = {
    "numeric": [
        None, "psi", "jensenshannon", "kl_div", "wasserstein", "ks", "hellinger", "ed", "cramer_von_mises",
        "anderson", "t_test", "mannw", "z", "chisquare",
    ],
    "categorical": [None, "psi", "jensenshannon", "kl_div", "chisquare", "z", "hellinger", "g_test"],
}
NANNYML = {
    "numeric": ["jensen_shannon", "kolmogorov_smirnov", "wasserstein", "hellinger"],
    "categorical": ["jensen_shannon", "hellinger", "chi2", "l_infinity"],
}


def numeric_columns():
    """Name, reference, current, chunk size."""
    rng = np.random.default_rng(20130601)

    def normal(size, mean=0.0, digits=3):
        return rng.normal(mean, 1, size=size).round(digits)

    heavy = rng.standard_t(1.2, size=400).round(2)
    shifted_with_outlier = np.append(normal(150, 3, 2), 1e4)
    return [
        ("normal shift", normal(600), normal(200, 0.3), 200),
        ("no shift", normal(900), normal(280), 300),
        ("heavy tails", heavy, (rng.standard_t(1.2, size=130) * 1.3).round(2), 140),
        ("one outlier hides a shift", normal(600, digits=2), shifted_with_outlier, 200),
        ("an outlier of the reference", np.append(normal(599, digits=2), -5e3), normal(200, 1, 2), 200),
        ("two values", rng.integers(0, 2, size=300) * 1.0, (rng.random(100) < 0.65) * 1.0, 100),
        ("four values", rng.integers(0, 4, size=500) * 1.0, rng.integers(0, 4, size=150) * 1.0, 170),
        ("four values, many rows", rng.integers(0, 4, size=1500) * 1.0, rng.integers(1, 5, size=500) * 1.0, 500),
        ("ties", rng.poisson(30, size=700) * 1.0, rng.poisson(32, size=240) * 1.0, 240),
        ("twenty values", rng.integers(0, 20, size=400) * 1.0, rng.integers(0, 22, size=200) * 1.0, 200),
        ("constant", np.full(60, 2.0), np.full(20, 2.0), 20),
        ("constant comes alive", np.full(60, 2.0), normal(30, 2), 30),
        ("constant moves", np.full(60, 2.0), np.full(30, 2.5), 30),
        ("small", normal(15), normal(9, 1), 9),
        ("tiny", normal(5), normal(4, 1), 4),
        ("one row", normal(12), normal(1, 1), 6),
        ("two rows", normal(2), normal(2), 2),
        ("eight rows against fifty", normal(50), normal(8, 0.5, 4), 25),
        ("fifteen rows against six", normal(15, digits=4), normal(6, 0.5, 4), 8),
        ("twenty rows each", normal(20), normal(20, 0.8, 4), 20),
        ("equal sizes", normal(250), normal(250, 0.15, 4), 250),
        ("small unit", (normal(1200) / 1e6).round(9), (normal(400) / 1e6 + 5e-7).round(9), 400),
        ("many rows", normal(12_000, digits=2), normal(3_500, 0.05, 2), 4_000),
        ("many rows, range widened", normal(10_500, digits=1), (rng.normal(size=4_000) * 1.5).round(1), 4_000),
        ("more current rows", normal(900, digits=1), normal(10_400, 0.04, 1), 10_500),
        ("many against few", normal(10_100, digits=1), normal(90, 0.15, 1), 5_000),
        ("many against few, moved", normal(10_100, digits=1), normal(120, 0.6, 1), 5_000),
        ("many against very few", normal(10_100, digits=1), normal(6, 0.3, 1), 5_000),
        ("many rows, hardly any gap", np.repeat(np.arange(650) / 10, 16), np.repeat((np.arange(800) * 0.08125).round(2), 5), 5_200),
        ("many constant rows", np.full(10_200, 7.0), np.array([6.0, 7.0, 7.0, 9.0] * 5), 5_100),
    ]


def categorical_columns():
    rng = np.random.default_rng(20130602)

    def draw(weights, size, prefix="c", first=0):
        names = np.array([f"{prefix}{i + first:03}" for i in range(len(weights))])
        return rng.choice(names, p=np.array(weights) / sum(weights), size=size)

    zipf = 1 / np.arange(1, 201)
    return [
        ("two", draw([6, 4], 400), draw([5, 5], 150), 150),
        ("two, no shift", draw([6, 4], 900), draw([6, 4], 300), 300),
        ("three", draw([5, 3, 2], 600), draw([4, 3, 3], 200), 200),
        ("three, many rows", draw([5, 3, 2], 3_000), draw([4, 4, 2], 1_000), 1_000),
        ("three, equal sizes", draw([5, 3, 2], 500), draw([4, 4, 2], 500), 500),
        ("many", draw(zipf, 4_000), draw(zipf, 1_500), 1_500),
        ("many, moved", draw(zipf, 900), draw(zipf[::-1] + zipf, 400), 450),
        ("unseen", draw([5, 3, 2], 300), draw([5, 3, 1, 1], 100), 100),
        ("gone", draw([5, 3, 2, 1], 300), draw([5, 3], 100), 100),
        ("disjoint", draw([5, 3], 120), draw([5, 3], 60, first=7), 60),
        ("rare", draw([20_000, 1, 1], 60_000), draw([20_000, 1], 20_000), 20_000),
        ("one", draw([1], 80), draw([1], 30), 30),
        ("one, another", draw([1], 80), draw([1], 30, first=4), 30),
        ("small", draw([2, 1, 1], 9), draw([1, 1, 2], 5), 5),
        ("letters beyond ASCII", draw([2, 1, 1], 90, prefix="ä"), draw([1, 1, 2], 50, prefix="ä"), 50),
    ]


def number(value):
    """Python's, with null for NaN."""
    if value is None or math.isnan(value):
        return None
    return float(value)


def evidently(kind, reference, current):
    frames = [pd.DataFrame({"x": rows}) for rows in (current, reference)]
    columns = {"numerical_columns": ["x"]} if kind == "numeric" else {"categorical_columns": ["x"]}
    sides = [Dataset.from_pandas(frame, data_definition=DataDefinition(**columns)) for frame in frames]
    results = {}
    for method in EVIDENTLY[kind]:
        try:
            report = Report([ValueDrift(column="x", method=method)], include_tests=True)
            found = report.run(*sides).dict()
        except Exception as error:
            results[method or "default"] = {"error": f"{type(error).__name__}: {error}"[:70]}
            continue
        [metric], [test] = found["metrics"], found["tests"]
        result = {
            "value": number(metric["value"]),
            "threshold": metric["config"]["threshold"],
            "drifted": test["status"] == "FAIL",
        }
        if method is None:
            result["method"] = name_of(metric["config"]["method"])
        else:
            result["threshold"] = get_registered_stattest(method, kind_of(kind)).default_threshold
        results[method or "default"] = result
    return results


def kind_of(kind):
    from evidently.legacy.core import ColumnType

    return ColumnType.Numerical if kind == "numeric" else ColumnType.Categorical


def name_of(display_name):
    """A method's name from the one that it is shown under."""
    from evidently.legacy.calculations.stattests.registry import _impls

    return next(test.name for test in _impls if test.display_name == display_name)


def nannyml(kind, reference, current, chunk_size):
    reference, current = pd.DataFrame({"x": reference}), pd.DataFrame({"x": current})
    results = {}
    for method in NANNYML[kind]:
        methods = {"continuous_methods" if kind == "numeric" else "categorical_methods": [method]}
        calculator = UnivariateDriftCalculator(column_names=["x"], chunk_size=chunk_size, **methods)
        try:
            calculator.fit(reference)
            found = calculator.calculate(current).filter(period="analysis").to_df()["x"][method]
        except Exception as error:
            results[method] = {"error": f"{type(error).__name__}: {error}"[:70]}
            continue
        assert len(found) == 1
        results[method] = {
            "value": number(found["value"][0]),
            "threshold": number(found["upper_threshold"][0]),
            "drifted": bool(found["alert"][0]),
        }
        [fitted] = calculator._column_to_models_mapping["x"]
        if method == "chi2":
            results[method]["p_value"] = number(fitted._p_value)
    return results


def counted(rows):
    values, counts = np.unique(rows, return_counts=True)
    return [[value, count] for value, count in zip(values.tolist(), counts.tolist())]


def cases(kind, columns):
    lines = []
    for name, reference, current, chunk_size in columns:
        assert len(current) <= chunk_size, name
        chunks = [reference[i : i + chunk_size] for i in range(0, len(reference), chunk_size)]
        lines.append(json.dumps({
            "name": name,
            "reference_chunks": [counted(chunk) for chunk in chunks],
            "current": counted(current),
            "evidently": evidently(kind, reference, current),
            "nannyml": nannyml(kind, reference, current, chunk_size),
        }, allow_nan=False, ensure_ascii=False))
    return lines


if __name__ == "__main__":
    text = f'{{"tools": {json.dumps({tool: version(tool) for tool in TOOLS})},\n'
    kinds = [("numeric", numeric_columns()), ("categorical", categorical_columns())]
    parts = [f'"{kind}": [\n' + ",\n".join(cases(kind, columns)) + "\n]" for kind, columns in kinds]
    (FOLDER / "peers.json").write_text(text + ",\n".join(parts) + "}\n")
