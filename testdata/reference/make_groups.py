"""Writes the reference values for `stats::fairness` and `stats::group_rates`.

    python -m venv venv && venv/bin/pip install -r requirements-groups.txt
    venv/bin/python make_groups.py

`groups.json` holds the inputs as well. Fairness from Fairlearn, ratios of proportions, tests of
proportions and the variance between groups from statsmodels, the beta-binomial likelihood from SciPy
(which also maximises it).
"""

import json
import pathlib
import warnings

import fairlearn
import fairlearn.metrics as fm
import numpy as np
import scipy
import sklearn
import sklearn.metrics as sm
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent
VERSIONS = {
    "fairlearn": fairlearn.__version__,
    "numpy": np.__version__,
    "scikit-learn": sklearn.__version__,
    "scipy": scipy.__version__,
    "statsmodels": statsmodels.__version__,
}


def number(value):
    value = float(value)
    return value if np.isfinite(value) else None


def rows(rng, sizes, shift):
    """Scores in steps that a float holds exactly, outcomes, and the group of each row."""
    scores, outcomes, groups = [], [], []
    for group, size in enumerate(sizes):
        p = rng.beta(2 + shift * group, 3, size)
        scores.append(np.round(p * 256) / 256)
        outcomes.append(rng.random(size) < 0.1 + 0.75 * p)
        groups.append(np.full(size, group))
    return np.concatenate(scores), np.concatenate(outcomes).astype(int), np.concatenate(groups)


def fairness(name, scores, outcomes, groups, threshold=0.5):
    called = (scores >= threshold).astype(int)
    given = {"y_true": outcomes, "y_pred": called, "sensitive_features": groups}
    between = lambda metric, predicted: fm.MetricFrame(
        metrics=metric, y_true=outcomes, y_pred=predicted, sensitive_features=groups
    )
    precision = between(sm.precision_score, called)
    gap = between(lambda y, s: float(np.mean(s - y)), scores)
    promised = between(lambda y, s: float(np.mean(s) / np.mean(y)), scores)
    criteria = {
        "demographic_parity": [fm.demographic_parity_difference(**given), fm.demographic_parity_ratio(**given)],
        "equalised_odds": [fm.equalized_odds_difference(**given), fm.equalized_odds_ratio(**given)],
        "equal_opportunity": [fm.equal_opportunity_difference(**given), fm.equal_opportunity_ratio(**given)],
        "predictive_parity": [precision.difference(), precision.ratio(method="between_groups")],
        "calibration_within_groups": [gap.difference(), promised.ratio(method="between_groups")],
    }
    by_group = {
        "selection": between(fm.selection_rate, called),
        "true_positive": between(fm.true_positive_rate, called),
        "false_positive": between(fm.false_positive_rate, called),
        "precision": precision,
        "score_gap": gap,
        "expected_over_observed": promised,
    }
    error = between(sm.mean_absolute_error, scores)
    return {
        "name": name,
        "scores": scores.tolist(),
        "outcomes": outcomes.tolist(),
        "groups": groups.tolist(),
        "threshold": threshold,
        "criteria": {key: [None if v is None else number(v) for v in values] for key, values in criteria.items()},
        "rates": {key: [number(v) for v in frame.by_group] for key, frame in by_group.items()},
        "absolute_error": {
            "groups": [number(v) for v in error.by_group],
            "difference": number(error.difference()),
            "ratio": number(error.ratio(method="between_groups")),
        },
    }


def ratio(x, n, y, m, level):
    low, high = confint_proportions_2indep(
        y, m, x, n, compare="ratio", method="score", alpha=1 - level, correction=False
    )
    return {"reference": [x, n], "current": [y, m], "level": level, "bounds": [number(low), number(high)]}


def against_rest(name, counts):
    """counts: true positives, false positives, true negatives, false negatives of each segment."""
    counts = np.array(counts)
    tests = []
    for segment, (tp, fp, tn, fn) in enumerate(counts):
        rest = counts.sum(axis=0) - counts[segment]
        for rate, hits, n, rest_hits, rest_n in [
            ("false_positive", fp, fp + tn, rest[1], rest[1] + rest[2]),
            ("false_negative", fn, fn + tp, rest[3], rest[3] + rest[0]),
        ]:
            if n == 0 or rest_n == 0:
                continue
            hits_all, n_all = hits + rest_hits, n + rest_n
            expected = [n * hits_all / n_all, n * (n_all - hits_all) / n_all]
            expected += [rest_n * hits_all / n_all, rest_n * (n_all - hits_all) / n_all]
            if min(expected) < 5:
                draw = stats.hypergeom(n_all, hits_all, n)
                p = min(1.0, 2 * min(draw.cdf(hits), draw.sf(hits - 1)))
            else:
                p = proportions_ztest([hits, rest_hits], [n, rest_n])[1]
            tests.append({
                "segment": segment,
                "rate": rate,
                "difference": float(hits / n - rest_hits / rest_n),
                "exact": bool(min(expected) < 5),
                "p_value": float(p),
                "bounds": [float(bound) for bound in proportion_confint(hits, n, method="wilson")],
                "rest_bounds": [float(bound) for bound in proportion_confint(rest_hits, rest_n, method="wilson")],
            })
    adjusted = multipletests([test["p_value"] for test in tests], method="fdr_bh")[1]
    for test, p in zip(tests, adjusted):
        test["p_adjusted"] = float(p)
    return {"name": name, "counts": counts.tolist(), "tests": tests}


def beta_binomial(name, hits, n):
    """The likeliest mean and precision, by SciPy's own probabilities and a search without gradients."""
    hits, n = np.array(hits), np.array(n)

    def loss(at):
        mean, precision = 1 / (1 + np.exp(-at[0])), np.exp(at[1])
        return -stats.betabinom.logpmf(hits, n, mean * precision, (1 - mean) * precision).sum()

    best = min(
        (
            optimize.minimize(
                loss, [0.0, start], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 20000}
            )
            for start in [0.0, 3.0, 6.0]
        ),
        key=lambda found: found.fun,
    )
    return {
        "name": name,
        "hits": hits.tolist(),
        "n": n.tolist(),
        "mean": float(1 / (1 + np.exp(-best.x[0]))),
        "precision": float(np.exp(best.x[1])),
        "log_likelihood": float(-best.fun),
    }


def normal_normal(name, means, variances):
    found = combine_effects(np.array(means), np.array(variances), method_re="dl")
    random = found.summary_frame().loc["random effect"]
    return {
        "name": name,
        "means": list(means),
        "variances": list(variances),
        "between": float(max(found.tau2, 0.0)),
        "mean": float(random["eff"]) if found.tau2 > 0 else float(found.mean_effect_fe),
        "mean_error": float(random["sd_eff"]) if found.tau2 > 0 else float(found.sd_eff_w_fe),
    }


def main():
    rng = np.random.default_rng(31)
    three = rows(rng, [300, 220, 140], 0.6)
    two = rows(rng, [60, 50], 2.0)
    ten = rows(rng, [6, 4], 0.5)
    same = (np.full(40, 0.75), rng.integers(0, 2, 40), np.repeat([0, 1], 20))
    hits_n = rng.integers(5, 200, 25)
    hits = rng.binomial(hits_n, rng.beta(4, 16, 25))
    few_hits = rng.binomial(40, rng.beta(0.5, 20, 12))
    variances = rng.uniform(0.05, 0.4, 15).round(4)
    means = (2 + rng.normal(0, 0.6, 15) + rng.normal(0, 1, 15) * np.sqrt(variances)).round(4)
    alike = (2 + rng.normal(0, 0.1, 8)).round(4)
    content = {
        "made_with": VERSIONS,
        "fairness": [
            fairness("three groups", *three),
            fairness("two groups that differ", *two),
            fairness("ten rows", *ten),
            fairness("every row called", *same),
        ],
        "ratios": [
            ratio(*counts, level)
            for counts in [(30, 100, 20, 100), (3, 40, 9, 60), (500, 900, 410, 1000), (5, 10, 9, 10), (1, 7, 6, 9)]
            for level in [0.95, 0.9958]
        ],
        "against_rest": [
            against_rest(
                "five segments, one worse",
                [[80, 20, 180, 20], [60, 15, 150, 18], [40, 60, 120, 9], [4, 1, 9, 3], [0, 2, 30, 0]],
            ),
            against_rest("two segments", [[30, 3, 50, 10], [25, 9, 40, 12]]),
        ],
        "beta_cdf": [
            [x, a, b, float(stats.beta.cdf(x, a, b))]
            for x, a, b in [
                (0.01, 0.5, 20), (0.3, 2, 5), (0.9, 2, 5), (0.5, 300, 310), (1e-4, 0.1, 0.1), (0.999, 0.2, 3),
                (0.7, 1, 1), (0.0012, 10, 1e4),
            ]
        ],
        "beta_binomial": [
            beta_binomial("25 groups", hits, hits_n),
            beta_binomial("rare", few_hits, np.full(12, 40)),
        ],
        "normal_normal": [
            normal_normal("15 groups that differ", means, variances),
            normal_normal("8 groups that do not", alike, np.full(8, 0.25)),
        ],
    }
    (FOLDER / "groups.json").write_text(json.dumps(content, default=lambda v: v.item()) + "\n")


if __name__ == "__main__":
    main()
