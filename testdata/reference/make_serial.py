"""Writes serial_mean.json: means of series whose neighbours are alike, by statsmodels and SciPy.

    python -m venv venv && venv/bin/pip install -r requirements-serial.txt && venv/bin/python make_serial.py

The variance of the mean is that of a regression on a constant with `cov_type="HAC"`, which sums
squares over n; the quantile of Student's t is SciPy's.
"""

import json
import pathlib

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats

FOLDER = pathlib.Path(__file__).parent


def series(rng, n, correlation):
    values, last = [], rng.normal()
    for _ in range(n):
        last = correlation * last + (1 - correlation**2) ** 0.5 * rng.normal()
        values.append(round(float(1 / (1 + np.exp(1.5 - 0.5 * last))), 4))
    return values


rng = np.random.default_rng(20130501)
cases = []
for n, correlation, lags, level in [
    (120, 0.45, 6, 0.99),
    (120, 0.8, 6, 0.95),
    (400, 0.3, 3, 0.9),
    (30, 0.6, 10, 0.99),
    (14, 0.2, 6, 0.95),
]:
    values = series(rng, n, correlation)
    fit = sm.OLS(values, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    plain = float(np.var(values)) / n
    dispersion = max(1.0, float(fit.cov_params()[0, 0]) / plain)
    error = float(np.sqrt(np.var(values, ddof=1) / n * dispersion))
    half = float(stats.t.ppf((1 + level) / 2, max(1.0, n / dispersion - 1))) * error
    cases.append(
        {
            "values": values,
            "lags": lags,
            "level": level,
            "mean": float(fit.params[0]),
            "dispersion": dispersion,
            "standard_error": error,
            "half": half,
        }
    )
tools = {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__}
lines = ",\n".join(json.dumps(case) for case in cases)
(FOLDER / "serial_mean.json").write_text(f'{{"tools": {json.dumps(tools)},\n"cases": [\n{lines}\n]}}\n')
