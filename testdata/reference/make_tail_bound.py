"""Writes reference values for `stats::tail_bound` and `stats::count_prediction`.

    python -m venv venv && venv/bin/pip install -r requirements-tail-bound.txt && venv/bin/python make_tail_bound.py

`crates/stats/tests/tail_bound.rs` checks them. The extreme-value index comes from tailestim's moment
estimator, quantiles of the generalised Pareto distribution and of Student's from SciPy. The samples are rounded,
so that they are the same numbers in both languages.
"""

import json
import pathlib

import numpy as np
import scipy
import scipy.stats
import tailestim
from tailestim.estimators.tail_methods import get_moments_estimates_2, moments_estimator


def samples():
    rng = np.random.default_rng(20130503)
    return {
        "normal": rng.normal(size=2001).round(4),
        "uniform": rng.uniform(size=1001).round(4),
        "exponential": rng.exponential(size=1501).round(4),
        "pareto": (1 + rng.pareto(1.0, size=1201)).round(4),
        "student": rng.standard_t(3, size=1601).round(4),
    }


def tail(values, sign):
    """The moment estimator of the excesses over the median, counted outwards."""
    values = np.sort(sign * np.asarray(values))
    n, k = len(values), int(len(values) * 0.05)
    median = float(np.median(values))
    outwards = (values - median)[::-1][: k + 1]
    index = float(moments_estimator(outwards, bootstrap=False)[1][-1])
    first = float(get_moments_estimates_2(outwards)[0][k - 1])
    threshold = float(outwards[k])
    return index, threshold, threshold * first * (1 - (index - first)), k, median


def case(name, values):
    out = {"name": name, "values": [float(v) for v in values]}
    for side, sign in [("upper", 1), ("lower", -1)]:
        index, threshold, scale, k, median = tail(values, sign)
        rows, expected = 300, 0.01
        used = max(index, 0) + np.sqrt((1 + index**2) / k)
        p = expected / rows
        # The generalised Pareto tail beyond the threshold has the probability k / n.
        beyond = scipy.stats.genpareto.isf(p * len(values) / k, used, loc=threshold, scale=scale)
        out[side] = {"index": index, "threshold": threshold, "scale": scale, "beyond": float(beyond)}
    return out


def predictions():
    rng = np.random.default_rng(7)
    cases = []
    for n in (6, 8, 13, 40):
        counts = np.exp(rng.normal(8, 0.1, size=n)).astype(int)
        logs = np.log(counts)
        deviation = scipy.stats.median_abs_deviation(logs, scale="normal")
        small = {6: 1.200, 8: 1.129}.get(n, n / (n - 0.8))
        scale = max(deviation * small * 1.4826 * scipy.stats.norm.ppf(0.75), 1 / np.sqrt(np.exp(np.median(logs))))
        t = scipy.stats.t(0.37 * (n - 1), loc=np.median(logs), scale=scale * np.sqrt(1 + np.pi / (2 * n)))
        low, high = np.exp(t.ppf([0.005, 0.995]))
        next_count = int(counts[0] * 0.7)
        cases.append({
            "counts": [int(c) for c in counts],
            "lower": float(low),
            "upper": float(high),
            "next": next_count,
            "p_value": float(2 * t.sf(2 * np.median(logs) - np.log(next_count))),
        })
    return cases


if __name__ == "__main__":
    content = {
        "tools": {"numpy": np.__version__, "scipy": scipy.__version__, "tailestim": "0.7.0"},
        "cases": [case(name, values) for name, values in samples().items()],
        "predictions": predictions(),
    }
    path = pathlib.Path(__file__).parent / "tail_bound.json"
    path.write_text(json.dumps(content) + "\n")
