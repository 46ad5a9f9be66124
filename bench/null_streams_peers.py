"""What Evidently and NannyML say about two made-up columns: the values that the example
`null_streams` of crates/stats holds its own version of their default rules against.

Usage: python null_streams_peers.py
(needs one of: evidently==0.7.23 with pandas below 3, nannyml==0.13.1; prints what it can)
"""

import numpy as np
import pandas as pd


def mixed(i):
    return i * 7919 % 10007 / 10007


def column(kind, i):
    x = mixed(i)
    return x + x**3 if kind == "number" else np.floor(x**2 * 12)


def samples(kind):
    rows = np.arange(6000, 6900)
    reference = column(kind, np.arange(5300))
    return reference, column(kind, np.where(rows % 3 == 0, rows // 2, rows))


def evidently_says(kind, reference, window):
    from evidently.legacy.calculations.stattests import get_stattest

    if kind == "category":
        reference, window = reference.astype(int).astype(str), window.astype(int).astype(str)
    feature_type = "num" if kind == "number" else "cat"
    reference, window = pd.Series(reference), pd.Series(window)
    test = get_stattest(reference, window, feature_type, None)
    result = test(reference, window, feature_type, None)
    print(f"{kind}: evidently {test.name} {result.drift_score!r} at {result.actual_threshold}")


def nannyml_says(kind, reference, window):
    import nannyml

    frames = [pd.DataFrame({"x": values}) for values in (reference, window)]
    if kind == "category":
        frames = [frame.astype(int).astype(str).astype("category") for frame in frames]
    calculator = nannyml.UnivariateDriftCalculator(column_names=["x"], chunk_size=1000)
    calculator.fit(frames[0])
    result = calculator.calculate(frames[1]).filter(period="analysis").to_df()["x"]["jensen_shannon"].iloc[0]
    print(f"{kind}: nannyml {result['value']!r} within {result['lower_threshold']!r} and {result['upper_threshold']!r}")


for kind in ("number", "category"):
    for says in (evidently_says, nannyml_says):
        try:
            says(kind, *samples(kind))
        except ImportError as error:
            print(f"{kind}: {error}")
