"""Writes reconstruction.json and embedding.json: NannyML's reconstruction error, and distances of
mean vectors by SciPy.

    python -m venv venv && venv/bin/pip install -r requirements-nannyml.txt
    venv/bin/python make_reconstruction.py

Inputs are stored with the values, rounded, so that a test needs nothing else. Categories are names
for NannyML and codes for us; the names are made so that they sort like the codes. NaN is missing: of
the missing values that pandas knows, it is the one that NannyML imputes.
"""

import json
import os
import pathlib
from importlib.metadata import version

os.environ["NML_DISABLE_USAGE_LOGGING"] = "True"

import nannyml
import numpy as np
import pandas as pd
import scipy
import sklearn
from scipy.spatial.distance import cosine, euclidean

FOLDER = pathlib.Path(__file__).parent


def write(name, tools, cases):
    lines = ",\n".join(json.dumps(case, allow_nan=False) for case in cases)
    text = f'{{"tools": {json.dumps(tools)},\n"cases": [\n{lines}\n]}}\n'
    (FOLDER / f"{name}.json").write_text(text)


def table(rng, rows, numeric, categorical, correlation, missing, scale=1.0):
    """Numbers that share a factor, categories that follow the first of them, and gaps."""
    factor = rng.normal(size=rows)
    columns = {}
    for position in range(numeric):
        own = rng.normal(size=rows)
        values = correlation * factor + (1.0 - correlation) * own
        columns[f"n{position:02}"] = np.round(scale * values + position, 3)
    for position in range(categorical):
        code = np.clip(np.round(2.0 + factor + rng.normal(size=rows)), 0, 5 + position)
        columns[f"c{position:02}"] = code
    for values in columns.values():
        values[rng.uniform(size=rows) < missing] = np.nan
    return columns


def named(columns):
    """Codes as text for NannyML, which takes text as categories."""
    frame = {}
    for name, values in columns.items():
        if name.startswith("c"):
            texts = [np.nan if np.isnan(code) else f"k{int(code)}" for code in values]
            frame[name] = pd.Series(texts, dtype=object)
        else:
            frame[name] = pd.Series(values)
    return pd.DataFrame(frame)


def stored(columns):
    return [
        {
            "kind": "categorical" if name.startswith("c") else "numeric",
            "values": [None if np.isnan(value) else float(value) for value in values],
        }
        for name, values in columns.items()
    ]


def reconstruction(name, reference, current, share):
    calculator = nannyml.DataReconstructionDriftCalculator(
        column_names=list(reference), n_components=share, chunk_number=1
    )
    calculator.fit(named(reference))
    result = calculator.calculate(named(current)).filter(period="all").to_df()
    of = lambda column: [float(value) for value in result[("reconstruction_error", column)]]
    errors, sampling = of("value"), of("sampling_error")
    assert len(errors) == 2
    return {
        "name": name,
        "variance_share": share,
        "reference": stored(reference),
        "current": stored(current),
        "components": int(calculator._pca.n_components_),
        "variance_kept": float(np.sum(calculator._pca.explained_variance_ratio_)),
        "errors": errors,
        "standard_errors": sampling,
    }


def reconstructions():
    rng = np.random.default_rng(31)
    cases = []
    for name, numeric, categorical, missing, share in [
        ("numbers", 6, 0, 0.0, 0.65),
        ("numbers with gaps", 4, 0, 0.1, 0.65),
        ("numbers and categories", 4, 3, 0.05, 0.65),
        ("more kept", 5, 2, 0.05, 0.9),
    ]:
        reference = table(rng, 120, numeric, categorical, 0.6, missing)
        current = table(rng, 80, numeric, categorical, 0.2, missing)
        if categorical:
            current["c00"][:5] = 9.0  # a category that the reference has not seen
        cases.append(reconstruction(name, reference, current, share))
    reference = table(rng, 60, 3, 0, 0.6, 0.0)
    current = table(rng, 40, 3, 0, 0.6, 0.0)
    reference["n01"][:] = 3.0
    cases.append(reconstruction("a constant that comes alive", reference, current, 0.65))
    return cases


def embeddings():
    rng = np.random.default_rng(32)
    cases = []
    for rows, others, dimensions, shift in [(30, 20, 3, 0.0), (25, 40, 8, 0.5), (10, 12, 1, 1.0)]:
        reference = np.round(rng.normal(1.0, 1.0, size=(rows, dimensions)), 3)
        current = np.round(rng.normal(1.0 + shift, 1.5, size=(others, dimensions)), 3)
        means = reference.mean(axis=0), current.mean(axis=0)
        traces = [np.trace(np.atleast_2d(np.cov(side, rowvar=False))) for side in (reference, current)]
        cases.append(
            {
                "dimensions": dimensions,
                "reference": reference.ravel().tolist(),
                "current": current.ravel().tolist(),
                "euclidean": float(euclidean(*means)),
                "cosine": float(cosine(*means)) if dimensions > 1 else 0.0,
                "expected_without_drift": float(np.sqrt(traces[0] / rows + traces[1] / others)),
                "spread_reference": float(np.sqrt(traces[0])),
            }
        )
    return cases


def main():
    tools = {name: version(name) for name in ("nannyml", "scikit-learn", "category-encoders", "numpy")}
    write("reconstruction", tools, reconstructions())
    write("embedding", {"scipy": scipy.__version__, "numpy": np.__version__}, embeddings())


if __name__ == "__main__":
    main()
