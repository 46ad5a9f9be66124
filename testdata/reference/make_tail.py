"""Writes the reference values of tail behaviour and error structure (`tail.json`).

    python -m venv venv && venv/bin/pip install -r requirements-tail.txt && venv/bin/python make_tail.py

Worst subpopulations: integrals over known conditional risks by SciPy. Expected shortfall: Empyrical's
conditional value at risk and a sum of sorted losses by NumPy. Rarity: scikit-learn's isolation forest.
Clustering in time and trends of residuals: statsmodels and SciPy.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import integrate, optimize

FOLDER = pathlib.Path(__file__).parent
ALPHAS = [0.05, 0.1, 0.2, 0.5, 1.0]


def logistic(x):
    return 1 / (1 + np.exp(-x))


# Known conditional risks of features: one uniform on [0, 1], one category of three with the given shares.
SHARES = [0.7, 0.2, 0.1]
RISKS = {
    "steps and slope": lambda x, c: 1 + x + [0.0, 0.5, 2.0][c],
    "mistakes": lambda x, c: logistic(-2.5 + 2 * x * x + [0.0, 0.0, 2.0][c]),
    "no structure": lambda x, c: 0.2,
    "bump": lambda x, c: 0.1 + 0.7 * np.exp(-(((x - 0.3) / 0.15) ** 2)),
}


def mean_over(risk, of):
    parts = [
        integrate.quad(lambda x: of(risk(x, c)), 0, 1, limit=400, points=np.linspace(0.02, 0.98, 49))[0]
        for c in range(3)
    ]
    return float(np.dot(SHARES, parts))


def worst(risk, alpha):
    """The infimum over eta of E(h - eta)+ / alpha + eta, by Brent's method."""
    dual = lambda eta: mean_over(risk, lambda h: max(h - eta, 0.0)) / alpha + eta
    found = optimize.minimize_scalar(dual, bounds=(-1, 6), method="bounded", options={"xatol": 1e-9})
    return float(found.fun)


def worst_subpopulations():
    return [
        {"name": name, "alphas": ALPHAS, "worst": [worst(risk, alpha) for alpha in ALPHAS]}
        for name, risk in RISKS.items()
    ]


def main():
    cases = {"worst_subpopulation": worst_subpopulations()}
    tools = {"numpy": np.__version__, "scipy": scipy.__version__}
    lines = [f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in cases.items()]
    text = f'{{"tools": {json.dumps(tools)},\n"cases": {{\n' + ",\n".join(lines) + "\n}}\n"
    (FOLDER / "tail.json").write_text(text)


if __name__ == "__main__":
    main()
