"""Writes the reference values for thresholds, costs, averages over classes, paired comparisons and the
bootstrap.

    python -m venv venv && venv/bin/pip install -r requirements-groups.txt
    venv/bin/python make_decisions.py

`decisions.json` holds the inputs as well. Metrics from scikit-learn, kappa's standard error and McNemar's
exact test from statsmodels, DeLong's paired test from MLstatkit, Student's interval and the bootstrap from
SciPy. McNemar's mid-p value and the standard errors of averages are worked out here (from SciPy's binomial
distribution, and by numerical derivatives of scikit-learn's own values), as no package has them.
"""

import json
import pathlib
import warnings
from importlib.metadata import version

import numpy as np
import scipy
import sklearn
import statsmodels
from MLstatkit import Delong_test
from scipy import stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent
VERSIONS = {
    "MLstatkit": version("MLstatkit"),
    "numpy": np.__version__,
    "scikit-learn": sklearn.__version__,
    "scipy": scipy.__version__,
    "statsmodels": statsmodels.__version__,
}


def thresholds(name, scores, outcomes, costs):
    """costs: of a true positive, a false positive, a true negative and a false negative."""
    points = []
    for threshold in sorted(set(scores), reverse=True):
        called = (scores >= threshold).astype(int)
        (tn, fp), (fn, tp) = metrics.confusion_matrix(outcomes, called, labels=[0, 1])
        points.append({
            "threshold": float(threshold),
            "counts": [int(tp), int(fp), int(tn), int(fn)],
            "f1": float(metrics.f1_score(outcomes, called)),
            "accuracy": float(metrics.accuracy_score(outcomes, called)),
            "cost": float(np.dot(costs, [tp, fp, tn, fn]) / len(scores)),
        })
    fpr, tpr, at = metrics.roc_curve(outcomes, scores, drop_intermediate=False)
    precision, recall, at_precision = metrics.precision_recall_curve(outcomes, scores)
    each = np.select([(outcomes == 1) & (scores >= 0.5), (outcomes == 0) & (scores >= 0.5), outcomes == 0], costs[:3], costs[3])
    return {
        "name": name,
        "scores": scores.tolist(),
        "outcomes": outcomes.tolist(),
        "costs": list(costs),
        "points": points,
        "roc": [fpr[1:].tolist(), tpr[1:].tolist(), at[1:].tolist()],
        "precision_recall": [precision[:-1].tolist(), recall[:-1].tolist(), at_precision.tolist()],
        "cost_interval": [float(b) for b in stats.norm.interval(0.95, each.mean(), stats.sem(each))],
    }


def from_table(of, table):
    """A metric of rows, for a table of weights by outcome and prediction."""
    classes = np.arange(len(table))
    outcomes, predicted = np.repeat(classes, len(table)), np.tile(classes, len(table))
    return lambda weights: of(outcomes, predicted, weights)


def standard_error(of, table):
    """By the delta method, with numerical derivatives of the metric by each cell's share."""
    n, shares = table.sum(), table.flatten() / table.sum()
    metric = from_table(of, table)
    slopes = np.zeros(len(shares))
    for cell in range(len(shares)):
        if shares[cell] > 0:
            h = 1e-5 * shares[cell]
            up, down = shares.copy(), shares.copy()
            up[cell] += h
            down[cell] -= h
            # The metric sees shares of whatever they add up to; that is the same derivative along the simplex.
            slopes[cell] = (metric(up) - metric(down)) / (2 * h)
    mean = (shares * slopes).sum()
    return float(np.sqrt(((shares * slopes**2).sum() - mean**2) / n))


def classes(name, table):
    table = np.array(table)
    k = len(table)
    outcomes = np.repeat(np.arange(k), table.sum(axis=1))
    predicted = np.concatenate([np.repeat(np.arange(k), row) for row in table])
    by_class = metrics.precision_recall_fscore_support(outcomes, predicted, labels=range(k), zero_division=np.nan)
    averages, errors = {}, {}
    for average in ["micro", "macro", "weighted"]:
        values = metrics.precision_recall_fscore_support(outcomes, predicted, average=average, zero_division=0)[:3]
        for at, key in enumerate(["precision", "recall", "f1"]):
            averages[f"{average} {key}"] = float(values[at])
            if average != "micro":
                errors[f"{average} {key}"] = standard_error(
                    lambda y, p, w, at=at, average=average: metrics.precision_recall_fscore_support(
                        y, p, average=average, sample_weight=w, zero_division=0,
                        labels=sorted(set(outcomes) | set(predicted)),
                    )[at],
                    table,
                )
    weighted = lambda of: (lambda y, p, w: of(y, p, sample_weight=w))
    cost = np.array([[0 if i == j else 1 + i + 2 * j for j in range(k)] for i in range(k)], dtype=float)
    each = cost[outcomes, predicted]
    agreement = {"balanced_accuracy": metrics.balanced_accuracy_score(outcomes, predicted)}
    if len(set(outcomes)) > 1 and len(set(predicted)) > 1:
        agreement |= {
            "kappa": metrics.cohen_kappa_score(outcomes, predicted),
            "matthews": metrics.matthews_corrcoef(outcomes, predicted),
        }
        errors |= {
            "balanced_accuracy": standard_error(weighted(metrics.balanced_accuracy_score), table),
            "kappa": float(cohens_kappa(table).std_kappa),
            "matthews": standard_error(weighted(metrics.matthews_corrcoef), table),
        }
    return {
        "name": name,
        "table": table.tolist(),
        "by_class": [[float(v) if np.isfinite(v) else None for v in column] for column in by_class[:3]],
        "averages": averages,
        "agreement": {key: float(value) for key, value in agreement.items()},
        "errors": errors,
        "costs": cost.tolist(),
        "cost": float(each.mean()),
        "cost_interval": [float(b) for b in stats.norm.interval(0.95, each.mean(), stats.sem(each))],
    }


def paired(name, a, b, outcomes):
    z, p, _, _, auc_a, auc_b, info = Delong_test(outcomes, a, b, return_ci=True, return_auc=True)
    error = float(np.sqrt(info["var_diff"]))
    losses_a, losses_b = np.abs(a - outcomes), np.abs(b - outcomes)
    t = stats.ttest_rel(losses_b, losses_a)
    interval = t.confidence_interval(0.95)
    right_a, right_b = (a >= 0.5) == outcomes, (b >= 0.5) == outcomes
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    table = [[int((right_a & right_b).sum()), only_a], [only_b, int((~right_a & ~right_b).sum())]]
    exact = float(mcnemar(table, exact=True).pvalue)
    discordant = stats.binom(only_a + only_b, 0.5)
    return {
        "name": name,
        "a": a.tolist(),
        "b": b.tolist(),
        "outcomes": outcomes.tolist(),
        "auc": [float(auc_a), float(auc_b)],
        "auc_z": float(z),
        "auc_p": float(p),
        "auc_interval": [float(v) for v in stats.norm.interval(0.95, auc_b - auc_a, error)],
        "loss_difference": float((losses_b - losses_a).mean()),
        "loss_t": float(t.statistic),
        "loss_p": float(t.pvalue),
        "loss_interval": [float(interval.low), float(interval.high)],
        "only_a": only_a,
        "only_b": only_b,
        "mcnemar_exact": exact,
        "mcnemar_mid_p": min(1.0, exact - float(discordant.pmf(min(only_a, only_b)))) if only_a != only_b
        else float(1 - discordant.pmf(only_a)),
    }


def bootstrap(name, values, strata, statistic, of):
    """With strata, the rows of each are a sample of their own."""
    samples = [values[strata == s] for s in np.unique(strata)]
    joined = lambda *parts: of(np.concatenate(parts))
    bounds = {}
    for method in ["percentile", "BCa"]:
        found = stats.bootstrap(
            samples, joined, vectorized=False, n_resamples=20000, method=method, rng=np.random.default_rng(5)
        )
        bounds[method] = [float(found.confidence_interval.low), float(found.confidence_interval.high)]
    return {
        "name": name,
        "values": values.tolist(),
        "strata": strata.tolist(),
        "statistic": statistic,
        "bounds": bounds,
        "standard_error": float(found.standard_error),
    }


def main():
    rng = np.random.default_rng(17)
    p = np.round(rng.beta(2, 3, 200) * 64) / 64
    y = (rng.random(200) < p).astype(int)
    a = np.round(rng.beta(2, 2, 150) * 256) / 256
    outcomes = (rng.random(150) < a).astype(int)
    b = np.clip(np.round((0.6 * a + 0.4 * rng.random(150)) * 256) / 256, 0, 1)
    skewed = rng.gamma(1.2, 2, 60).round(4)
    content = {
        "made_with": VERSIONS,
        "thresholds": [
            thresholds("200 rows", p, y, [0.0, 1.0, 0.0, 6.0]),
            thresholds("gains", p[:40], y[:40], [-4.0, 1.5, -0.25, 2.0]),
        ],
        "classes": [
            classes("three classes", [[50, 8, 2], [6, 70, 14], [1, 9, 40]]),
            classes("one class never called", [[30, 5, 0], [4, 25, 0], [6, 5, 0]]),
            classes("one class never the outcome", [[30, 5, 3], [4, 25, 1], [0, 0, 0]]),
            classes("two classes", [[80, 12], [9, 25]]),
            classes("worse than chance", [[5, 30], [25, 4]]),
            classes("ten rows", [[3, 1, 0], [1, 2, 0], [0, 1, 2]]),
        ],
        "paired": [
            paired("150 rows", a, b, outcomes),
            paired("40 rows", a[:40], b[:40], outcomes[:40]),
            paired("shuffled", a, rng.permutation(a), outcomes),
        ],
        "bootstrap": [
            bootstrap("mean of a skewed sample", skewed, np.zeros(60, dtype=int), "mean", np.mean),
            bootstrap("mean of three strata", skewed, np.repeat([0, 1, 2], [10, 20, 30]), "mean", np.mean),
            bootstrap("variance", skewed[:40], np.zeros(40, dtype=int), "variance", lambda v: np.var(v, ddof=1)),
        ],
    }
    (FOLDER / "decisions.json").write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
