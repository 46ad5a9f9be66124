"""Writes the reference values for `stats::multiclass` and `stats::regression` from scikit-learn and SciPy.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python make_tasks.py

`tasks.json` holds the inputs as well. Bounds are percentiles of SciPy's bootstrap (seeded): they say
whether an analytic interval is of the right size, not what it is to the last digit.
"""

import json
import pathlib
import warnings

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn import metrics

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent
VERSIONS = {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__}
RESAMPLES = 2000


def bootstrap(statistic, *columns):
    found = stats.bootstrap(
        columns, statistic, paired=True, vectorized=False, n_resamples=RESAMPLES, method="percentile",
        rng=np.random.default_rng(7),
    )
    return [float(found.confidence_interval.low), float(found.confidence_interval.high)]


def regression(name, predictions, outcomes, bounds=True):
    rmse = metrics.root_mean_squared_error
    measured = {
        "mae": metrics.mean_absolute_error,
        "rmse": rmse,
        "r2": metrics.r2_score,
        "mean_error": lambda y, p: float(np.mean(p - y)),
    }
    if (outcomes != 0).all():
        measured["mape"] = metrics.mean_absolute_percentage_error
    case = {
        "name": name,
        "predictions": predictions.tolist(),
        "outcomes": outcomes.tolist(),
        "values": {key: float(of(outcomes, predictions)) for key, of in measured.items()},
    }
    distances = np.abs(predictions - outcomes)
    if distances.std() > 0:
        case["mae_normal"] = [float(b) for b in stats.norm.interval(0.95, distances.mean(), stats.sem(distances))]
    if bounds:
        case["bounds"] = {key: bootstrap(of, outcomes, predictions) for key, of in measured.items()}
    return case


def ratio(rng):
    """By what share a window's mean absolute error is larger than a reference's."""
    reference, current = rng.gamma(2, 3, 500).round(3), rng.gamma(2, 4, 300).round(3)
    found = stats.bootstrap(
        (current, reference), lambda now, before: now.mean() / before.mean() - 1, vectorized=False,
        n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(7),
    )
    return {
        "reference": reference.tolist(),
        "current": current.tolist(),
        "value": float(current.mean() / reference.mean() - 1),
        "bounds": [float(found.confidence_interval.low), float(found.confidence_interval.high)],
    }


def multiclass(name, probabilities, outcomes, bounds=True):
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    labels = list(range(classes))
    rows = np.arange(len(outcomes))
    measured = {
        "accuracy": lambda rows: metrics.accuracy_score(outcomes[rows], predicted[rows]),
        "macro_f1": lambda rows: metrics.f1_score(outcomes[rows], predicted[rows], average="macro"),
        "log_loss": lambda rows: metrics.log_loss(outcomes[rows], probabilities[rows], labels=labels),
        "brier": lambda rows: metrics.brier_score_loss(
            outcomes[rows], probabilities[rows], labels=labels, scale_by_half=False
        ),
    }
    if set(outcomes) == set(labels):
        measured["macro_roc_auc"] = lambda rows: metrics.roc_auc_score(
            outcomes[rows], probabilities[rows], multi_class="ovr", average="macro"
        )
    case = {
        "name": name,
        "probabilities": probabilities.tolist(),
        "outcomes": outcomes.tolist(),
        "values": {key: float(of(rows)) for key, of in measured.items()},
    }
    if bounds:
        case["bounds"] = {key: bootstrap(of, rows) for key, of in measured.items()}
    return case


def dirichlet(rng, n, strength, steps):
    """Probabilities in steps that a float holds exactly (so that ties are ties wherever they are read),
    and outcomes that follow them only in part."""
    probabilities = np.array([rng.multinomial(steps, row) for row in rng.dirichlet(strength, n)]) / steps
    mixed = 0.7 * probabilities + 0.3 / probabilities.shape[1]
    outcomes = np.array([rng.choice(len(strength), p=row) for row in mixed])
    return probabilities, outcomes


def main():
    rng = np.random.default_rng(20)
    n = 800
    y = rng.gamma(3, 10, n).round(3)
    regressions = [
        regression("gamma outcomes, errors that grow", (y * rng.normal(1.05, 0.2, n)).round(3), y),
        regression("far from zero", (1e6 + rng.normal(0, 3, n)).round(4), (1e6 + rng.normal(0, 3, n)).round(4)),
        regression("a perfect model", y[:50], y[:50], bounds=False),
        regression("worse than the mean, with zero outcomes", np.full(60, 5.0), rng.integers(0, 3, 60).astype(float), False),
        regression("two rows", np.array([1.0, 2.0]), np.array([2.0, 4.5]), False),
    ]
    multiclasses = [
        multiclass("three classes", *dirichlet(rng, 900, [2.0, 1.0, 0.7], 4096)),
        multiclass("five classes with ties, one rare", *dirichlet(rng, 700, [3.0, 2.0, 2.0, 1.0, 0.3], 8)),
    ]
    # Class 2 is neither predicted nor the outcome; certain and wrong once.
    few = np.array([[0.75, 0.25, 0.0], [0.25, 0.75, 0.0], [1.0, 0.0, 0.0], [0.625, 0.375, 0.0]])
    multiclasses.append(multiclass("a class that never occurs", few, np.array([0, 1, 1, 0]), bounds=False))
    cases = {"regression": regressions, "multiclass": multiclasses, "ratio": ratio(rng)}
    lines = [f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in cases.items()]
    text = f'{{"tools": {json.dumps(VERSIONS)},\n"cases": {{\n' + ",\n".join(lines) + "\n}}\n"
    (FOLDER / "tasks.json").write_text(text)


if __name__ == "__main__":
    main()
