"""Writes reference values for the distances and tests that `make.py` does not have.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_distances.py

`crates/stats/tests/distances.rs` checks them. The inputs are those of `make.py`, and a
few more. Hellinger is written out from its definition, all other values come from SciPy. Expected
values without drift are means over simulated pairs of windows (NumPy, seeded), each with its
standard error.
"""

import numpy as np
import scipy.special
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


def tails():
    """Distributions behind the p-values, each over all the branches of its computation."""
    student = [
        [t, free, 2 * scipy.stats.t.sf(t, free)]
        for free in (1, 2, 5, 30, 59, 61, 1_000, 1e6)
        for t in (0.0, 0.02, 0.3, 1.0, 1.7, 2.0, 5.0, 30.0)
    ]
    kolmogorov = []
    for n in (1, 2, 5, 20, 140, 141, 832, 5_000, 100_000, 1_000_000):
        gaps = [z / np.sqrt(n) for z in (0.2, 0.3, 0.5, 0.8, 1.0, 1.3, 1.48, 1.49, 1.9, 2.5, 4.0)]
        gaps += [0.55, 0.6 / n, 0.95 / n, 1.5 / n, 3 / n, 1 - 0.4 / n]
        for x in sorted({float(f"{gap:.9g}") for gap in gaps if gap < 1}):
            kolmogorov.append([n, x, scipy.stats.kstwo.sf(x, n)])
    # By definition: the series that SciPy has, ended at terms of 1e-20 instead of 1e-7.
    limit = [[x, cramer_von_mises_limit(x)] for x in (0.003, 0.02, 0.05, 1 / 6, 0.3, 0.461, 0.743, 1.2, 2.5, 6.0)]
    write("tails", ["scipy"], {
        "student_t_two_sided": student, "kolmogorov_sf": kolmogorov, "cramer_von_mises_cdf": limit,
    })


def cramer_von_mises_limit(x):
    total, k, term = 0.0, 0, 1.0
    while term > 1e-20:
        y = 4 * k + 1
        q = y**2 / (16 * x)
        gammas = np.exp(scipy.special.gammaln(k + 0.5) - scipy.special.gammaln(k + 1))
        term = gammas / (np.pi**1.5 * np.sqrt(x)) * np.sqrt(y) * np.exp(-2 * q) * scipy.special.kve(0.25, q)
        total, k = total + term, k + 1
    return total


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
    for make in [distribution_distances, count_distances, tails, no_drift]:
        make()
