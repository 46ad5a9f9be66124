"""Writes the reference values of tail behaviour and error structure (`tail.json`).

    python -m venv venv && venv/bin/pip install -r requirements-tail.txt && venv/bin/python make_tail.py

Worst subpopulations: integrals over known conditional risks by SciPy. Expected shortfall: Empyrical's
conditional value at risk and a sum of sorted losses by NumPy. Rarity: scikit-learn's isolation forest.
Clustering in time and trends of residuals: statsmodels and SciPy.
"""

import json
import pathlib

import empyrical
import numpy as np
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy import integrate, optimize, stats
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.tsa.stattools import acf

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


def shortfalls():
    """Empyrical's conditional value at risk is the mean of the `int(cutoff * (n - 1)) + 1` lowest returns:
    for shares that make this a whole number of rows. The dual, minimised by linear search over the losses,
    for all others."""
    rng = np.random.default_rng(3)
    cases = []
    for name, losses in [
        ("log-normal", rng.lognormal(0, 1, 400)),
        ("ties", rng.integers(0, 4, 250).astype(float)),
        ("signed", rng.normal(0, 3, 120)),
        ("alike", np.full(40, 2.5)),
    ]:
        losses = losses.round(4)
        n = len(losses)
        for rows in [8, 20, 33]:
            cutoff = (rows - 0.5) / (n - 1)
            value = -empyrical.conditional_value_at_risk(-losses, cutoff=cutoff)
            cases.append({"name": name, "losses": losses.tolist(), "alpha": rows / n, "value": float(value)})
        for alpha in [0.2137, 0.5, 0.999]:
            value = min(float(np.mean(np.maximum(losses - eta, 0)) / alpha + eta) for eta in np.unique(losses))
            cases.append({"name": name, "losses": losses.tolist(), "alpha": alpha, "value": value})
    return cases


def rarity():
    """Scores of scikit-learn's forest, and how well it finds planted rows."""
    rng = np.random.default_rng(11)
    cases = []
    for name, usual, planted in [
        ("one cluster", rng.normal(0, 1, (600, 4)), rng.normal(0, 3, (60, 4))),
        ("two clusters", np.vstack([rng.normal(-3, 1, (300, 3)), rng.normal(3, 0.5, (300, 3))]), rng.uniform(-8, 8, (40, 3))),
        ("skewed, with ties", np.column_stack([rng.exponential(1, 500), rng.integers(0, 6, 500), rng.lognormal(0, 1, 500)]),
         np.column_stack([rng.exponential(3, 50), rng.integers(0, 9, 50), rng.lognormal(1, 1, 50)])),
    ]:
        usual, planted = usual.round(4), planted.round(4)
        rows = np.vstack([usual, planted])
        forest = IsolationForest(n_estimators=1000, max_samples=256, random_state=5).fit(usual)
        scores = -forest.score_samples(rows)
        labels = np.r_[np.zeros(len(usual)), np.ones(len(planted))]
        cases.append({
            "name": name, "rows": rows.tolist(), "usual": len(usual),
            "scores": scores.round(6).tolist(), "auc": float(roc_auc_score(labels, scores)),
        })
    return cases


def clusters():
    rng = np.random.default_rng(17)
    cases = []
    state = np.cumsum(rng.normal(0, 0.3, 400))
    for name, losses, blocks, lags in [
        ("independent mistakes", (rng.random(300) < 0.2).astype(float), 10, 5),
        ("mistakes in bursts", (rng.random(400) < 1 / (1 + np.exp(2 - state))).astype(float), 20, 3),
        ("losses of an autoregression", np.abs(np.convolve(rng.normal(0, 1, 252), [1, 0.8, 0.4], "valid")).round(5), 25, 8),
    ]:
        n = len(losses)
        parts = np.split(losses, blocks)
        if set(losses) <= {0.0, 1.0}:
            table = [[part.sum(), len(part) - part.sum()] for part in parts]
            chi_square = stats.chi2_contingency(table, correction=False).statistic
        else:
            # One-way analysis of variance: the between sum of squares over the variance of all.
            f = stats.f_oneway(*parts).statistic
            d1, d2 = blocks - 1, n - blocks
            chi_square = n * f * d1 / (f * d1 + d2)
        test = acorr_ljungbox(losses, lags=[lags])
        cases.append({
            "name": name, "losses": losses.tolist(), "blocks": blocks, "lags": lags, "chi_square": float(chi_square),
            "autocorrelation": float(acf(losses, nlags=1, fft=False)[1]),
            "ljung_box": float(test["lb_stat"].iloc[0]), "ljung_box_p_value": float(test["lb_pvalue"].iloc[0]),
        })
    return cases


def trends():
    rng = np.random.default_rng(23)
    cases = []
    for name, n, residual in [
        ("spread that grows", 200, lambda x: rng.normal(0, 0.1 + x**2)),
        ("a trend", 60, lambda x: 0.3 * x + rng.normal(0, 1, len(x))),
        ("few rows, ties", 10, lambda x: rng.normal(0.5, 1, len(x))),
    ]:
        x = rng.gamma(2, 1, n).round(1 if n == 10 else 4)
        y = residual(x).round(5)
        fit = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC3", use_t=True)
        bounds = fit.conf_int(0.05)[1]
        cases.append({
            "name": name, "predictions": x.tolist(), "residuals": y.tolist(), "slope": float(fit.params[1]),
            "standard_error": float(fit.bse[1]), "p_value": float(fit.pvalues[1]), "bounds": [float(b) for b in bounds],
        })
    return cases


def means_together():
    """Student's intervals of the means of groups with Bonferroni's correction, by SciPy."""
    rng = np.random.default_rng(29)
    segments = rng.integers(0, 4, 90)
    residuals = rng.normal(segments * 0.4, 1 + segments).round(4)
    groups = [residuals[segments == code] for code in range(4)]
    level = 1 - 0.05 / len(groups)
    bounds = [[float(b) for b in stats.t.interval(level, len(g) - 1, g.mean(), stats.sem(g))] for g in groups]
    return [{"segments": segments.tolist(), "residuals": residuals.tolist(), "means": [float(g.mean()) for g in groups],
             "bounds": bounds}]


def main():
    cases = {
        "worst_subpopulation": worst_subpopulations(),
        "expected_shortfall": shortfalls(),
        "rarity": rarity(),
        "time_clustering": clusters(),
        "residual_trend": trends(),
        "residuals_by_segment": means_together(),
    }
    tools = {"empyrical-reloaded": empyrical.__version__, "numpy": np.__version__, "scikit-learn": sklearn.__version__,
             "scipy": scipy.__version__, "statsmodels": statsmodels.__version__}
    lines = [f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in cases.items()]
    text = f'{{"tools": {json.dumps(tools)},\n"cases": {{\n' + ",\n".join(lines) + "\n}}\n"
    (FOLDER / "tail.json").write_text(text)


if __name__ == "__main__":
    main()
