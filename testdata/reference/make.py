"""Writes the reference values that `crates/stats/tests/reference.rs` checks our statistics against.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

One JSON file per group of statistics, beside this script. Each names the tools and versions that
made it and holds the inputs as well, so that a test needs nothing else. Values come from SciPy,
scikit-learn, statsmodels and NumPy. Where no tool has the statistic, it is written out below from
its paper in the most literal way (and says "by definition"), never taken from our own code.
NaN and nulls do not appear: they are counted before a statistic sees a column.
"""

import json
import pathlib

import confidenceinterval.delong
import numpy as np
import scipy
import scipy.special
import scipy.stats
import sklearn
import sklearn.calibration
import sklearn.metrics as metrics
import statsmodels
from importlib.metadata import version
from scipy.spatial.distance import jensenshannon
from scipy.stats.contingency import association
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)
from statsmodels.stats.weightstats import DescrStatsW

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "scikit-learn": sklearn.__version__,
    "statsmodels": statsmodels.__version__,
    "confidenceinterval": version("confidenceinterval"),
}
LEVELS = [0.8, 0.95, 0.99]


def plain(value):
    """NumPy values as Python ones, for JSON."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    return value


def write(name, tools, cases):
    """One case per line, so that a change of one case is a change of one line."""

    def line(value):
        return json.dumps(plain(value), allow_nan=False)

    if isinstance(cases, dict):
        lines = [f"{json.dumps(key)}: {line(value)}" for key, value in cases.items()]
        opening, closing = "{", "}"
    else:
        lines = [line(case) for case in cases]
        opening, closing = "[", "]"
    text = f'{{"tools": {line({tool: VERSIONS[tool] for tool in tools})},\n"cases": {opening}\n'
    text += ",\n".join(lines) + f"\n{closing}}}\n"
    (FOLDER / f"{name}.json").write_text(text)


def special():
    gamma = [(a, x) for a in (0.5, 1, 2.5, 10, 100, 1500.5) for x in (a / 9, a * 0.9, a, a * 1.1, a * 3)]
    chi = [(x, k) for k in (1, 2, 9, 200) for x in (1e-8, 0.5, k, 3 * k, 100 + 2 * k)]
    reals = [-8.0, -3.0, -1.5, -0.3, -1e-9, 0.0, 1e-9, 0.3, 1.0, 1.5, 3.0, 8.0]
    shares = [1e-300, 1e-12, 0.001, 0.02, 0.025, 0.3, 0.5, 0.7, 0.975, 0.98, 0.999999]
    cases = {
        "ln_gamma": [[x, scipy.special.gammaln(x)] for x in (1e-3, 0.5, 1.0, 1.5, 2.0, 9.3, 171.0, 1e6)],
        "gamma_p": [[a, x, scipy.special.gammainc(a, x)] for a, x in gamma],
        "gamma_q": [[a, x, scipy.special.gammaincc(a, x)] for a, x in gamma],
        "erf": [[x, scipy.special.erf(x)] for x in reals],
        "erfc": [[x, scipy.special.erfc(x)] for x in reals],
        "normal_cdf": [[x, scipy.special.ndtr(x)] for x in reals],
        "normal_sf": [[x, scipy.stats.norm.sf(x)] for x in reals],
        "normal_quantile": [[p, scipy.special.ndtri(p)] for p in shares],
        "chi_square_sf": [[x, k, scipy.stats.chi2.sf(x, k)] for x, k in chi],
        "kolmogorov_sf": [[x, scipy.stats.kstwobign.sf(x)] for x in (0.2, 0.5, 0.8, 1.0, 1.36, 2.0, 5.0)],
    }
    write("special", ["scipy"], cases)


def samples():
    """Pairs of samples: single values, ties, equal, disjoint, unequal sizes."""
    rng = np.random.default_rng(20130101)
    normal, shifted = rng.normal(size=40).round(4), rng.normal(0.7, 1.3, size=25).round(4)
    return [
        ([1.0], [1.0]),
        ([1.0], [2.0]),
        ([3.0, 3.0, 3.0], [3.0, 3.0, 4.0, 4.0]),
        ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]),
        ([-0.0, 0.0, 2.5], [0.0, 2.5]),
        (normal, shifted),
        (shifted, normal),
        (normal, normal[:7]),
        (rng.integers(0, 5, size=60).astype(float), rng.integers(1, 7, size=35).astype(float)),
        (rng.exponential(size=90).round(3), rng.exponential(1.2, size=100).round(3)),
        (rng.normal(size=3).round(3), rng.normal(size=120).round(3)),
    ]


def ecdf():
    shares = [0.0, 0.01, 0.1, 0.25, 0.333, 0.5, 0.75, 0.9, 0.99, 1.0]
    cases = []
    for values, _ in samples():
        quantiles = np.quantile(values, shares, method="inverted_cdf")
        cases.append({"values": values, "shares": shares, "quantiles": quantiles})
    write("ecdf", ["numpy"], cases)


def distances():
    cases = []
    for reference, current in samples():
        exact = scipy.stats.ks_2samp(reference, current, method="exact")
        cases.append({
            "reference": reference,
            "current": current,
            "ks_statistic": exact.statistic,
            "ks_p_value_exact": exact.pvalue,
            "wasserstein": scipy.stats.wasserstein_distance(reference, current),
            "standard_deviation": np.std(reference),
        })
    write("distances", ["scipy", "numpy"], cases)


def kolmogorov_smirnov_large():
    """P-values of large samples, from ks_2samp of grids with a chosen gap."""
    cases = []
    for n, m, shift in [(600, 600, 30), (600, 600, 48), (2000, 700, 150), (5000, 5000, 120), (5000, 60, 900)]:
        reference = np.arange(n) / n
        current = (np.arange(m) + 0.5) / m + shift / n
        test = scipy.stats.ks_2samp(reference, current, method="asymp")
        cases.append({"n": n, "m": m, "shift": shift, "statistic": test.statistic, "p_value": test.pvalue})
    write("kolmogorov_smirnov_large", ["scipy"], cases)


def count_pairs():
    """Counts per category: equal, an empty bin, an unseen category, disjoint, very unequal sizes."""
    return [
        ([10, 20, 30], [10, 20, 30]),
        ([10, 20, 30], [1, 2, 3]),
        ([25, 25, 25, 25], [40, 10, 30, 20]),
        ([50, 0, 50], [30, 5, 65]),
        ([50, 50, 0], [30, 40, 30]),
        ([7, 0, 3, 0], [4, 0, 9, 0]),
        ([5, 0], [0, 8]),
        ([1000000, 500000, 1500000], [12, 5, 20]),
        ([3], [9]),
    ]


def counts():
    cases = []
    for reference, current in count_pairs():
        table = np.array([reference, current])
        table = table[:, table.sum(axis=0) > 0]
        q, p = table / table.sum(axis=1, keepdims=True)
        smooth = table + 0.5
        qs, ps = smooth / smooth.sum(axis=1, keepdims=True)
        chi = scipy.stats.chi2_contingency(table, correction=False)
        several = table.shape[1] > 1
        # The sum of both relative entropies is Jeffreys' divergence, which is the PSI.
        empty = (table == 0).any()
        psi = None if empty else scipy.stats.entropy(p, q) + scipy.stats.entropy(q, p)
        cases.append({
            "reference": reference,
            "current": current,
            "psi": psi,
            "psi_pseudocount_half": scipy.stats.entropy(ps, qs) + scipy.stats.entropy(qs, ps),
            "jensen_shannon": jensenshannon(p, q, base=2),
            "chi_square": chi.statistic,
            "degrees_of_freedom": chi.dof,
            "p_value": chi.pvalue,
            "expected_min": chi.expected_freq.min(),
            "cramers_v": association(table, method="cramer") if several else 0.0,
            "cramers_v_corrected": bergsma(table) if several else 0.0,
        })
    write("counts", ["scipy", "numpy"], cases)


def bergsma(table):
    """By definition: W. Bergsma 2013, equations 2 to 6."""
    rows, columns = table.shape
    n = table.sum()
    phi = scipy.stats.chi2_contingency(table, correction=False).statistic / n
    phi = max(0, phi - (rows - 1) * (columns - 1) / (n - 1))
    rows = rows - (rows - 1) ** 2 / (n - 1)
    columns = columns - (columns - 1) ** 2 / (n - 1)
    return np.sqrt(phi / min(rows - 1, columns - 1))


def proportions():
    wilson = []
    for successes, n in [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (81, 263), (999_000, 1_000_000)]:
        for level in LEVELS:
            lower, upper = proportion_confint(successes, n, alpha=1 - level, method="wilson")
            wilson.append({"successes": successes, "n": n, "level": level, "lower": lower, "upper": upper})
    differences = []
    for s1, n1, s2, n2 in [(56, 70, 48, 80), (9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20), (5, 1000, 11, 900)]:
        for level in LEVELS:
            # Theirs is the first less the second, ours the current less the reference.
            lower, upper = confint_proportions_2indep(
                s2, n2, s1, n1, method="newcomb", compare="diff", alpha=1 - level
            )
            alike = s1 + s2 in (0, n1 + n2)  # 0 / 0 there; by our definition no difference
            z, p_value = (0.0, 1.0) if alike else proportions_ztest([s2, s1], [n2, n1])
            differences.append({
                "reference": [s1, n1], "current": [s2, n2], "level": level,
                "lower": lower, "upper": upper, "z": z, "p_value": p_value,
            })
    write("proportions", ["statsmodels"], {"wilson": wilson, "differences": differences})


def false_discovery():
    rng = np.random.default_rng(7)
    families = [
        [0.5],
        [0.01, 0.02, 0.03, 0.04],
        [0.04, 0.03, 0.02, 0.01],
        [0.02, 0.02, 0.9, 0.02, 0.5],
        [0.0, 1.0, 1.0, 0.0],
        (rng.uniform(size=50) ** 3).round(6),
    ]
    cases = []
    for p_values in families:
        cases.append({
            "p_values": p_values,
            "benjamini_hochberg": scipy.stats.false_discovery_control(p_values, method="bh"),
            "holm": multipletests(p_values, method="holm")[1],
        })
    write("false_discovery", ["scipy", "statsmodels"], cases)


def labelled():
    """Scores with outcomes: without ties, with many ties, one row per class, clipped scores."""
    rng = np.random.default_rng(42)
    score = rng.beta(2, 3, size=200).round(6)
    outcome = rng.uniform(size=200) < score
    skewed = rng.beta(1, 9, size=300).round(6)
    return [
        (score, outcome),
        (score.round(1), outcome),
        (skewed, rng.uniform(size=300) < skewed),
        (np.sqrt(score).round(6), outcome),
        ([0.2, 0.7], [False, True]),
        ([0.7, 0.2, 0.4], [False, True, True]),
        ([0.0, 1.0, 1.0, 0.0, 0.5], [True, False, True, False, True]),
    ]


def classification():
    cases = []
    for score, outcome in labelled():
        score, outcome = np.asarray(score), np.asarray(outcome)
        false_share, true_share, thresholds = metrics.roc_curve(outcome, score, drop_intermediate=False)
        area = metrics.roc_auc_score(outcome, score)
        precision = metrics.average_precision_score(outcome, score)
        rows = np.where(outcome, (1 - score) ** 2, score**2)
        clipped = np.clip(score, np.finfo(float).eps, 1 - np.finfo(float).eps)
        surprise = -np.where(outcome, np.log(clipped), np.log1p(-clipped))
        cases.append({
            "scores": score,
            "outcomes": outcome,
            "confusion": [at_threshold(score, outcome, t) for t in (0.0, 0.3, 0.5, 0.9)],
            "roc_auc": area,
            "delong": delong(score, outcome, area),
            "roc_curve": {
                "thresholds": thresholds[1:],  # the first is infinity, at (0, 0)
                "false_positive_share": false_share,
                "true_positive_share": true_share,
            },
            "average_precision": precision,
            "average_precision_interval": boyd(precision, outcome.sum()),
            "brier": metrics.brier_score_loss(outcome, score),
            "brier_interval": DescrStatsW(rows).zconfint_mean(alpha=0.05),
            "log_loss": metrics.log_loss(outcome, score, labels=[False, True]),
            "log_loss_interval": DescrStatsW(surprise).zconfint_mean(alpha=0.05),
            "clipped": int((clipped != score).sum()),
            "in_the_large": np.mean(score - outcome),
            "in_the_large_interval": DescrStatsW(score - outcome).zconfint_mean(alpha=0.05),
        })
    write("classification", ["scikit-learn", "statsmodels", "numpy", "confidenceinterval"], cases)


def at_threshold(score, outcome, threshold):
    called = score >= threshold
    (tn, fp), (fn, tp) = metrics.confusion_matrix(outcome, called, labels=[False, True])
    f_star = proportion_confint(tp, tp + fp + fn, alpha=0.05, method="wilson") if tp + fp + fn else None
    undefined = {"zero_division": np.nan}

    def defined(value):
        return None if np.isnan(value) else value

    return {
        "threshold": threshold,
        "counts": [tp, fp, tn, fn],
        "accuracy": metrics.accuracy_score(outcome, called),
        "precision": defined(metrics.precision_score(outcome, called, **undefined)),
        "recall": defined(metrics.recall_score(outcome, called, **undefined)),
        "specificity": defined(metrics.recall_score(~outcome, ~called, **undefined)),
        "f1": defined(metrics.f1_score(outcome, called, **undefined)),
        # By definition: Hand et al. 2021, F1 = 2 F* / (1 + F*).
        "f1_interval": None if f_star is None else [2 * f / (1 + f) for f in f_star],
    }


def delong(score, outcome, area):
    """By definition: DeLong et al. 1988, equations 4 to 6, over all pairs; compared with a peer."""
    x, y = score[outcome], score[~outcome]
    if len(x) < 2 or len(y) < 2:
        return None
    pairs = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    variance = pairs.mean(axis=1).var(ddof=1) / len(x) + pairs.mean(axis=0).var(ddof=1) / len(y)
    peer_area, peer_variance = confidenceinterval.delong.delong_roc_variance(outcome, score)
    # The peer keeps ranks in 32-bit floats.
    assert np.isclose(peer_area, area, rtol=1e-5) and np.isclose(peer_variance, variance, rtol=1e-4)
    return {"variance": variance, "interval": logit_interval(area, np.sqrt(variance) / (area * (1 - area)))}


def boyd(precision, positives):
    """By definition: Boyd et al. 2013, section 4."""
    if precision == 1:
        return None
    return logit_interval(precision, 1 / np.sqrt(positives * precision * (1 - precision)))


def logit_interval(value, error):
    """By definition: expit(logit(value) ± z · error) at 95 %."""
    if not 0 < value < 1:
        return None
    z = scipy.stats.norm.ppf(0.975)
    return [scipy.special.expit(scipy.special.logit(value) + sign * z * error) for sign in (-1, 1)]


def calibration():
    """Bins without ties and with a row count that ten divides, where equal mass has one meaning."""
    cases = []
    for score, outcome in [labelled()[0], labelled()[2], labelled()[3]]:
        score, outcome = np.asarray(score), np.asarray(outcome)
        order = np.argsort(score)
        score, outcome = score[order], outcome[order]
        keep = np.flatnonzero(np.diff(score, prepend=-1) > 0)
        keep = keep[: len(keep) // 10 * 10]
        score, outcome = score[keep], outcome[keep]
        share, mean = sklearn.calibration.calibration_curve(outcome, score, n_bins=10, strategy="quantile")
        n = len(score) // 10
        noise = [scipy.stats.binom(n, m).expect(lambda k, m=m: abs(k / n - m)) for m in mean]
        cases.append({
            "scores": score,
            "outcomes": outcome,
            "score_mean": mean,
            "outcome_share": share,
            "expected_calibration_error": np.abs(mean - share).mean(),
            "expected_if_calibrated": np.mean(noise),
        })
    write("calibration", ["scikit-learn", "scipy"], cases)


if __name__ == "__main__":
    for make in [
        special, ecdf, distances, kolmogorov_smirnov_large, counts, proportions, false_discovery,
        classification, calibration,
    ]:
        make()
