"""Writes the reference values for `stats::classification::calibration` and `stats::regression::coverage`.

    python -m venv venv && venv/bin/pip install -r requirements-calibration.txt
    venv/bin/python make_calibration_suite.py

`calibration_suite.json` holds the inputs as well. ECE and MCE are netcal's, debiased errors those of
uncertainty-calibration (Kumar's own), the line statsmodels', the parts of CORP model-diagnostics', the
isotonic fit scikit-learn's and the smooth error relplot's (the authors' own). No package has the
Hosmer–Lemeshow test for external validation or Stephenson's terms; they are summed here with NumPy.
"""

import importlib.metadata
import json
import pathlib
import warnings

import calibration.utils as kumar
import numpy as np
import relplot
import statsmodels.api as sm
from model_diagnostics.scoring import SquaredError, decompose
from netcal.metrics import ECE, MCE
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import mean_pinball_loss

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent
TOOLS = ["model-diagnostics", "netcal", "numpy", "relplot", "scikit-learn", "scipy", "statsmodels", "uncertainty-calibration"]
BINS = 10


def groups_of_equal_mass(scores):
    """Positions by group; scores must differ and their number be a multiple of the groups'."""
    return np.array_split(np.argsort(scores), BINS)


def line(scores, outcomes):
    inside = (scores > 0) & (scores < 1)
    scores, outcomes = scores[inside], outcomes[inside]
    logits = np.log(scores / (1 - scores))
    design = sm.add_constant(logits)
    model = sm.Logit(outcomes, design)
    fit = model.fit(disp=0, method="newton", tol=1e-12, maxiter=200)
    joint = 2 * (fit.llf - model.loglike(np.array([0.0, 1.0])))
    shift = sm.GLM(outcomes, np.ones((len(outcomes), 1)), sm.families.Binomial(), offset=logits).fit(tol=1e-12)
    return {
        "intercept": [float(fit.params[0]), *map(float, fit.conf_int()[0])],
        "slope": [float(fit.params[1]), *map(float, fit.conf_int()[1])],
        "joint": [float(joint), float(stats.chi2.sf(joint, 2))],
        "shift": [float(shift.params[0]), *map(float, shift.conf_int()[0])],
    }


def of_distinct_scores(scores, outcomes):
    groups = groups_of_equal_mass(scores)
    f = np.array([scores[g].mean() for g in groups])
    o = np.array([outcomes[g].mean() for g in groups])
    w = np.array([len(g) for g in groups]) / len(scores)
    rows = list(zip(scores.tolist(), outcomes.tolist()))
    binned = kumar.bin(rows, kumar.get_equal_bins(scores.tolist(), BINS))
    np.random.seed(1)
    hl = float(np.sum((len(scores) * w) * (o - f) ** 2 / (f * (1 - f))))
    within = [(scores[g] - scores[g].mean(), outcomes[g] - outcomes[g].mean()) for g in groups]
    return {
        "ece_equal_mass": float(ECE(BINS, equal_intervals=False).measure(scores, outcomes)),
        "mce_equal_mass": float(MCE(BINS, equal_intervals=False).measure(scores, outcomes)),
        "rms_debiased": float(kumar.unbiased_l2_ce(binned)),
        "ece_debiased_drawn": float(kumar.normal_debiased_ce(binned, power=1, resamples=100_000)),
        "hosmer_lemeshow": [hl, float(stats.chi2.sf(hl, BINS))],
        "brier_parts": [
            float(np.sum(w * (f - o) ** 2)),
            float(np.sum(w * (o - outcomes.mean()) ** 2)),
            float(outcomes.mean() * (1 - outcomes.mean())),
            float(sum((s**2).sum() for s, _ in within) / len(scores)),
            float(2 * sum((s * y).sum() for s, y in within) / len(scores)),
        ],
    }


def case(name, scores, outcomes):
    outcomes = outcomes.astype(int)
    parts = decompose(y_obs=outcomes, y_pred=scores, scoring_function=SquaredError())
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(scores, outcomes)
    distinct = np.unique(scores)
    found = {
        "name": name,
        "scores": scores.tolist(),
        "outcomes": outcomes.tolist(),
        "ece_equal_width": float(ECE(BINS).measure(scores, outcomes)),
        "mce_equal_width": float(MCE(BINS).measure(scores, outcomes)),
        "line": line(scores, outcomes),
        "corp": [float(parts[key][0]) for key in ("miscalibration", "discrimination", "uncertainty", "score")],
        "isotonic": isotonic.predict(distinct).tolist(),
    }
    if distinct.min() > 0 and distinct.max() < 1:
        value, width = relplot.smECE(scores, outcomes, return_width=True)
        found["smooth"] = [float(value), float(width)]
    if len(distinct) == len(scores) and len(scores) % BINS == 0 and len(scores) >= 2 * BINS:
        found |= of_distinct_scores(scores, outcomes)
    return found


def classwise(rng):
    probabilities = rng.dirichlet([2.0, 1.0, 0.7], 600).round(4)
    probabilities[:, 2] = 1 - probabilities[:, 0] - probabilities[:, 1]
    mixed = 0.6 * probabilities + 0.4 / 3
    outcomes = np.array([rng.choice(3, p=row / row.sum()) for row in mixed])
    errors = [float(ECE(BINS).measure(probabilities[:, c], (outcomes == c).astype(int))) for c in range(3)]
    return {
        "probabilities": probabilities.tolist(),
        "outcomes": outcomes.tolist(),
        "classes": errors,
        "mean": float(np.mean(errors)),
    }


def intervals(rng, name, n, shrink, nominal):
    centre = rng.normal(0, 2, n).round(4)
    half = (stats.norm.ppf(0.5 + nominal / 2) * shrink * rng.gamma(8, 1 / 8, n)).round(4)
    lower, upper = centre - half, centre + half
    outcome = (centre + rng.normal(0, 1, n)).round(4)
    inside = (outcome >= lower) & (outcome <= upper)
    test = stats.binomtest(int(inside.sum()), n, nominal)
    bounds = test.proportion_ci(0.95, method="wilson")
    return {
        "name": name,
        "nominal": nominal,
        "lower": lower.tolist(),
        "upper": upper.tolist(),
        "outcomes": outcome.tolist(),
        "covered": [float(inside.mean()), float(bounds.low), float(bounds.high)],
        "p_value": float(test.pvalue),
        "below": float((outcome < lower).mean()),
        "above": float((outcome > upper).mean()),
        "width": float((upper - lower).mean()),
    }


def quantiles(rng, name, n, spread):
    levels = [0.05, 0.25, 0.5, 0.75, 0.9]
    centre = rng.normal(10, 3, n)
    predicted = (centre[:, None] + spread * stats.norm.ppf(levels)[None, :]).round(4)
    outcome = (centre + rng.normal(0, 1, n)).round(4)
    cell = (outcome[:, None] > predicted).sum(axis=1)
    counts = np.bincount(cell, minlength=len(levels) + 1)
    shares = np.diff([0.0, *levels, 1.0])
    test = stats.chisquare(counts, shares * n)
    below = [int((outcome <= predicted[:, k]).sum()) for k in range(len(levels))]
    pinball = []
    for k, level in enumerate(levels):
        off = outcome - predicted[:, k]
        losses = np.maximum(level * off, (level - 1) * off)
        bounds = stats.norm.interval(0.95, losses.mean(), stats.sem(losses))
        pinball.append([float(mean_pinball_loss(outcome, predicted[:, k], alpha=level)), *map(float, bounds)])
    return {
        "name": name,
        "levels": levels,
        "predicted": predicted.tolist(),
        "outcomes": outcome.tolist(),
        "counts": counts.tolist(),
        "chi_square": [float(test.statistic), float(test.pvalue)],
        "p_values": [float(stats.binomtest(b, n, level).pvalue) for b, level in zip(below, levels)],
        "below": [b / n for b in below],
        "pinball": pinball,
    }


def binomial_tests():
    tests = [(0, 10, 0.9), (7, 10, 0.9), (10, 10, 0.9), (9, 10, 0.9), (3, 7, 0.5), (1, 40, 0.05), (180, 200, 0.95),
             (89_500, 100_000, 0.9), (0, 1, 0.999), (5000, 10_000, 0.5), (1_801_000, 2_000_000, 0.9)]
    return [[k, n, p, float(stats.binomtest(k, n, p).pvalue)] for k, n, p in tests]


def main():
    rng = np.random.default_rng(2119)

    def distinct(a, b, n):
        scores = np.unique(rng.beta(a, b, 3 * n).round(6))
        scores = scores[(scores > 0) & (scores < 1)]
        return rng.permutation(rng.choice(scores, n, replace=False))

    cases = []
    for name, a, b, n, truth in [
        ("calibrated", 2, 3, 500, lambda s: s),
        ("too extreme", 0.8, 0.8, 1000, lambda s: 0.2 + 0.6 * s),
        ("too high, rare", 1, 12, 800, lambda s: 0.5 * s),
        ("bent", 1, 1, 600, lambda s: s**2),
    ]:
        scores = distinct(a, b, n)
        cases.append(case(name, scores, rng.random(n) < truth(scores)))
    ties = rng.integers(1, 32, 700) / 32
    cases.append(case("ties", ties, rng.random(700) < 0.1 + 0.7 * ties))
    certain = rng.integers(0, 17, 400) / 16
    cases.append(case("certain", certain, rng.random(400) < 0.05 + 0.9 * certain))
    few = np.array([0.125, 0.1875, 0.25, 0.375, 0.4375, 0.5625, 0.625, 0.75, 0.8125, 0.9375])
    cases.append(case("ten rows", few, np.array([0, 1, 0, 0, 1, 0, 1, 1, 0, 1])))
    content = {
        "scores": cases,
        "classwise": classwise(rng),
        "intervals": [intervals(rng, "as promised", 400, 1.0, 0.9), intervals(rng, "too narrow", 300, 0.7, 0.8)],
        "quantiles": [quantiles(rng, "as promised", 500, 1.0), quantiles(rng, "too narrow", 400, 0.6)],
        "binomial_tests": binomial_tests(),
    }
    versions = {tool: importlib.metadata.version(tool) for tool in TOOLS}
    lines = [f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in content.items()]
    text = f'{{"tools": {json.dumps(versions)},\n"cases": {{\n' + ",\n".join(lines) + "\n}}\n"
    (FOLDER / "calibration_suite.json").write_text(text)


if __name__ == "__main__":
    main()
