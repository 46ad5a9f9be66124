"""Writes reference values for the distances and tests that `make.py` does not have.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_distances.py

`crates/stats/tests/distances.rs` checks them. The inputs are those of `make.py`, and a
few more. Hellinger is written out from its definition, all other values come from SciPy. Expected
values without drift are means over simulated pairs of windows (NumPy, seeded), each with its
standard error.
"""

import numpy as np
import scipy.stats
from make import count_pairs, samples, write
from scipy.spatial.distance import chebyshev, cityblock


def more_samples():
    """Large, tied, heavy-tailed, far apart."""
    rng = np.random.default_rng(20130502)
    return [
        (rng.normal(size=1500).round(3), rng.normal(0.1, 1, size=1200).round(3)),
        (rng.poisson(3, size=900).astype(float), rng.poisson(3.4, size=700).astype(float)),
        (rng.standard_t(1.5, size=400).round(3), rng.standard_t(1.5, size=300).round(3) * 1.5),
        (np.arange(30.0), np.arange(30.0) + 25),
        ([0.0] * 50 + [1.0] * 3, [0.0] * 40 + [1.0] * 9),
        ([1e9, 1e9 + 1, 1e9 + 2], [1e9 + 1, 1e9 + 5]),
    ]


def distribution_distances():
    cases = []
    for reference, current in samples() + more_samples():
        case = {
            "reference": reference,
            "current": current,
            "energy_distance": scipy.stats.energy_distance(reference, current),
        }
        if min(len(reference), len(current)) > 1:
            test = scipy.stats.cramervonmises_2samp(reference, current, method="asymptotic")
            case |= {"cramer_von_mises": test.statistic, "cramer_von_mises_p_value": test.pvalue}
        cases.append(case)
    write("distribution_distances", ["scipy", "numpy"], cases)


def count_distances():
    rng = np.random.default_rng(20130503)
    zipf = 1 / np.arange(1, 301)
    more = [
        (rng.multinomial(20_000, zipf / zipf.sum()), rng.multinomial(9_000, zipf / zipf.sum())),
        (rng.multinomial(500, np.full(12, 1 / 12)), rng.multinomial(700, np.arange(1, 13) / 78)),
    ]
    cases = []
    for reference, current in count_pairs() + more:
        table = np.array([reference, current])
        table = table[:, table.sum(axis=0) > 0]
        q, p = table / table.sum(axis=1, keepdims=True)
        g = scipy.stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
        cases.append({
            "reference": reference,
            "current": current,
            "hellinger": np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2),  # by definition
            "total_variation": cityblock(p, q) / 2,
            "l_infinity": chebyshev(p, q),
            "g": g.statistic,
            "g_degrees_of_freedom": g.dof,
            "g_p_value": g.pvalue,
        })
    write("count_distances", ["scipy", "numpy"], cases)


def no_drift():
    """Means over pairs of windows from the same shares."""
    rng = np.random.default_rng(20130504)
    zipf = 1 / np.arange(1, 2001)
    families = [
        ("two equal", np.full(2, 1 / 2), 400, 300),
        ("two unequal", np.array([0.97, 0.03]), 2_000, 1_000),
        ("three", np.array([0.5, 0.3, 0.2]), 1_000, 200),
        ("ten", np.full(10, 1 / 10), 5_000, 5_000),
        ("hundred", np.full(100, 1 / 100), 20_000, 2_000),
        ("two thousand, long tail", zipf / zipf.sum(), 20_000, 20_000),
    ]
    cases = []
    for name, shares, n, m in families:
        draws = 4_000
        r, c = rng.multinomial(n, shares, size=draws), rng.multinomial(m, shares, size=draws)
        q, p = r / n, c / m
        found = {
            "hellinger": np.sqrt(0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=1)),
            "total_variation": 0.5 * np.abs(p - q).sum(axis=1),
            "l_infinity": np.abs(p - q).max(axis=1),
        }
        case = {"name": name, "reference": r[0], "current": c[0]}
        for distance, values in found.items():
            case[distance] = values.mean()
            case[f"{distance}_standard_error"] = values.std() / np.sqrt(draws)
        cases.append(case)
    write("no_drift", ["numpy"], cases)


if __name__ == "__main__":
    for make in [distribution_distances, count_distances, no_drift]:
        make()
