"""Writes the reference values of the stress practice (`stress.json`).

    python -m venv venv && venv/bin/pip install -r requirements-stress.txt && venv/bin/python make_stress.py

Filling in from the nearest rows: scikit-learn's k-nearest-neighbours on features scaled by their range. Costs of
strategies: SciPy's paired t interval. Classes of responses and the flipped share: statsmodels' Wilson interval.
"""

import json
import pathlib

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy import stats
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import MinMaxScaler
from statsmodels.stats.proportion import proportion_confint

FOLDER = pathlib.Path(__file__).parent
rng = np.random.default_rng(20261128)


def nearest():
    reference = np.round(rng.normal(size=(80, 3)) * [1, 10, 0.1], 6)
    asked = np.round(rng.normal(size=(12, 3)) * [1, 10, 0.1], 6)
    number = np.round(reference[:, 0] + reference[:, 1] / 10 + rng.normal(size=80) / 5, 6)
    category = np.where(reference[:, 2] + rng.normal(size=80) / 30 > 0, "high", "low")
    scaler = MinMaxScaler().fit(reference)
    x, z = scaler.transform(reference), scaler.transform(asked)
    regressor = KNeighborsRegressor(5, metric="manhattan").fit(x, number)
    classifier = KNeighborsClassifier(5, metric="manhattan").fit(x, category)
    return {
        "neighbours": 5,
        "reference": reference.T.tolist(),
        "asked": asked.T.tolist(),
        "number": number.tolist(),
        "category": category.tolist(),
        "number_filled": regressor.predict(z).tolist(),
        "category_filled": classifier.predict(z).tolist(),
    }


def costs():
    n, threshold, fp, fn, abstaining = 300, 0.4, 1.0, 5.0, 0.8
    outcome = (rng.random(n) < 0.3).astype(float)
    nothing = np.round(np.clip(0.3 * outcome + rng.random(n) * 0.7, 0, 1), 6)
    imputed = np.round(np.clip(0.5 * outcome + rng.random(n) * 0.5, 0, 1), 6)

    def of(score):
        yes = score >= threshold
        return np.where(yes & (outcome == 0), fp, 0) + np.where(~yes & (outcome == 1), fn, 0)

    all_costs = {"nothing": of(nothing), "imputed": of(imputed), "abstained": np.full(n, abstaining)}
    level = 1 - 0.05 / 3
    paired = lambda a, b: stats.ttest_rel(b, a).confidence_interval(level)
    against = {name: paired(all_costs["nothing"], all_costs[name]) for name in ("imputed", "abstained")}
    return {
        "threshold": threshold,
        "false_positive": fp,
        "false_negative": fn,
        "abstaining": abstaining,
        "outcome": outcome.tolist(),
        "nothing": nothing.tolist(),
        "imputed": imputed.tolist(),
        "means": {name: float(of_rows.mean()) for name, of_rows in all_costs.items()},
        "against_nothing": {name: [float(i.low), float(i.high)] for name, i in against.items()},
    }


def shares():
    cases = [(3, 40), (0, 25), (25, 25), (117, 1000)]
    return [[k, n, *map(float, proportion_confint(k, n, method="wilson"))] for k, n in cases]


if __name__ == "__main__":
    made_by = {m.__name__: m.__version__ for m in (np, scipy, sklearn, statsmodels)}
    values = {"made_by": made_by, "nearest": nearest(), "costs": costs(), "wilson": shares()}
    (FOLDER / "stress.json").write_text(json.dumps(values) + "\n")
