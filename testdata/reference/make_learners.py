"""Writes learners.json and domain_classifier.json: what scikit-learn's boosted trees reach on data
that both sides can make.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_learners.py

The data would be large to store and is small to describe: a linear congruential generator and a few
formulas, written out here and again in `crates/stats/tests/learners.rs`. Only the quality that
HistGradientBoosting reaches on held-out rows is stored, as a classifier or regressor and as a domain
classifier, and a checksum of each data set, so that the two descriptions cannot drift apart.
"""

import json
import math
import pathlib

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score

FOLDER = pathlib.Path(__file__).parent
ROWS = 4000


class Uniform:
    """Knuth's MMIX generator, the upper 53 bits as a number in [0, 1)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 11) / 2**53

    def noise(self):
        """About normal, variance 1: twelve uniforms less six."""
        return sum(self.next() for _ in range(12)) - 6.0


def friedman(rng):
    """Friedman's first function of ten uniforms, of which five matter."""
    x = [rng.next() for _ in range(10)]
    y = 10.0 * math.sin(math.pi * x[0] * x[1]) + 20.0 * (x[2] - 0.5) ** 2 + 10.0 * x[3] + 5.0 * x[4]
    return x, y + rng.noise()


def missing_matters(rng):
    """Two columns interact; that a value is missing says as much as the values do."""
    a, b, c = rng.next(), rng.next(), rng.next()
    logit = 6.0 * (a - 0.5) * (1.0 if b < 0.5 else -1.0)
    if c < 0.2:
        logit = 1.5
        b = math.nan
    return [a, b, rng.next()], float(rng.next() < 1.0 / (1.0 + math.exp(-logit)))


def categories(rng):
    """A hundred categories, of which each third raises the odds, and a number that does so alone."""
    code = math.floor(100.0 * rng.next() * rng.next())
    x = rng.next()
    logit = (1.2 if code % 3 == 0 else -0.8) + 2.0 * (x - 0.5)
    return [float(code), x], float(rng.next() < 1.0 / (1.0 + math.exp(-logit)))


def rare(rng):
    """One outcome in about thirty is positive."""
    x = [rng.next() for _ in range(6)]
    logit = -6.0 + 4.0 * x[0] + 3.0 * x[1] * x[2]
    return x, float(rng.next() < 1.0 / (1.0 + math.exp(-logit)))


def made(function, seed):
    rng = Uniform(seed)
    rows = [function(rng) for _ in range(2 * ROWS)]
    x = np.array([row for row, _ in rows])
    y = np.array([target for _, target in rows])
    return x[:ROWS], y[:ROWS], x[ROWS:], y[ROWS:]


def options(**more):
    """Those of `stats::learn::Options::new`."""
    return dict(
        max_iter=100,
        learning_rate=0.1,
        max_leaf_nodes=31,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
        **more,
    )


def quality(function, seed, loss, categorical):
    x, y, x_held_out, y_held_out = made(function, seed)
    if loss == "squared":
        model = HistGradientBoostingRegressor(**options()).fit(x, y)
        reached = r2_score(y_held_out, model.predict(x_held_out))
    else:
        model = HistGradientBoostingClassifier(**options(categorical_features=categorical)).fit(x, y)
        reached = roc_auc_score(y_held_out, model.predict_proba(x_held_out)[:, 1])
    return {
        "name": function.__name__,
        "seed": seed,
        "rows": ROWS,
        "loss": loss,
        "checksum": float(np.nansum(x) + np.sum(y) + np.nansum(x_held_out) + np.sum(y_held_out)),
        "reached": float(reached),
    }


def unchanged(rng, current):
    return [rng.next() for _ in range(5)]


def moved(rng, current):
    """One column of five moves by a tenth of its range."""
    x = [rng.next() for _ in range(5)]
    x[3] += 0.1 if current else 0.0
    return x


def together(rng, current):
    """Two columns come to agree in half of the rows; neither changes by itself."""
    x = [rng.next() for _ in range(5)]
    if rng.next() < 0.5 and current:
        x[1] = x[0]
    return x


def other_categories(rng, current):
    """High codes of twenty become more frequent."""
    u, v = rng.next(), rng.next()
    return [float(math.floor(20.0 * (max(u, v) if current and rng.next() < 0.5 else u))), rng.next()]


def separation(function, seed, n_reference, n_current, categorical):
    """The mean area over five folds, and again over five other seeds of the folds."""
    rng = Uniform(seed)
    x = [function(rng, False) for _ in range(n_reference)]
    x = np.array(x + [function(rng, True) for _ in range(n_current)])
    y = np.repeat([0, 1], [n_reference, n_current])
    settings = options(categorical_features=categorical, class_weight="balanced")
    settings.update(max_iter=60, max_leaf_nodes=15)
    model = HistGradientBoostingClassifier(**settings)
    areas = [
        cross_val_score(
            model, x, y, cv=StratifiedKFold(5, shuffle=True, random_state=state), scoring="roc_auc"
        ).mean()
        for state in range(5)
    ]
    return {
        "name": function.__name__,
        "seed": seed,
        "n_reference": n_reference,
        "n_current": n_current,
        "checksum": float(np.sum(x)),
        "area": float(np.mean(areas)),
    }


def write(name, cases):
    tools = {"scikit-learn": sklearn.__version__, "numpy": np.__version__}
    lines = ",\n".join(json.dumps(case) for case in cases)
    text = f'{{"tools": {json.dumps(tools)},\n"cases": [\n{lines}\n]}}\n'
    (FOLDER / f"{name}.json").write_text(text)


def main():
    cases = []
    for seed in (1, 2, 3):
        cases += [
            quality(friedman, seed, "squared", None),
            quality(missing_matters, seed, "logistic", None),
            quality(categories, seed, "logistic", [0]),
            quality(rare, seed, "logistic", None),
        ]
    write("learners", cases)
    cases = []
    for n_reference, n_current in ((2000, 2000), (5000, 1000)):
        cases += [
            separation(unchanged, 11, n_reference, n_current, None),
            separation(moved, 12, n_reference, n_current, None),
            separation(together, 13, n_reference, n_current, None),
            separation(other_categories, 14, n_reference, n_current, [0]),
        ]
    write("domain_classifier", cases)


if __name__ == "__main__":
    main()
