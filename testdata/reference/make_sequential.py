"""Writes sequential.json, which `crates/stats/tests/sequential.rs` checks the sequential tests against.

    python -m venv venv && venv/bin/pip install -r requirements-sequential.txt && venv/bin/python make_sequential.py

P-values of windows come from SciPy's normal and chi-square distributions, and from hypergeometric
tails in mpmath with 60 digits (SciPy's lose digits at a billion rows; they are compared below).
Capitals are written out from their definitions, term by term, in mpmath.
"""

import json
import pathlib

import mpmath
import numpy as np
import scipy
from scipy import stats

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {"numpy": np.__version__, "scipy": scipy.__version__, "mpmath": mpmath.__version__}
mpmath.mp.dps = 60
mpf = mpmath.mpf


def at_most(marked, others, drawn, hits):
    """P(X ≤ hits), summed downwards until nothing is left that a double could show."""
    k, term = hits, mpmath.binomial(marked, hits) * mpmath.binomial(others, drawn - hits)
    total, everything = mpf(0), mpmath.binomial(marked + others, drawn)
    while term > total * mpf("1e-25"):
        total += term
        term *= mpf(k) * (others - drawn + k) / (mpf(marked - k + 1) * (drawn - k + 1))
        k -= 1
    found = float(total / everything)
    peer = stats.hypergeom(marked + others, marked, drawn).cdf(hits)
    assert abs(found - peer) < 1e-6 * peer, (found, peer)
    return found


def conformal(before, window):
    """By definition, on (reference, window) pairs of counts."""
    n, m = sum(before), sum(window)
    cells = [(b, w) for b, w in zip(before, window) if b + w]
    least = 5 * (n + m) / min(n, m)
    if any(b + w < least for b, w in cells):
        groups, open_cells = [], []
        for cell in sorted(cells, key=sum):
            open_cells.append(cell)
            if sum(map(sum, open_cells)) >= least:
                groups.append(open_cells)
                open_cells = []
        if groups:
            groups[-1] = groups[-1] + open_cells
        else:
            groups = [open_cells]
        cells = [tuple(map(sum, zip(*group))) for group in groups]
    pending, statistic = [cells], 0.0
    while pending:
        group = pending.pop()
        if len(group) == 1:
            continue
        left, right = group[: len(group) // 2], group[len(group) // 2 :]
        pending += [left, right]
        marked, others = sum(map(sum, left)), sum(map(sum, right))
        hits, drawn = sum(w for _, w in left), sum(w for _, w in group)
        below, above = at_most(marked, others, drawn, hits), at_most(others, marked, drawn, drawn - hits)
        least = min(below, above)
        statistic += stats.norm.ppf(least) ** 2 if least < 0.5 else 0.0
    free = len(cells) - 1
    p_value = stats.chi2.sf(statistic, free) if free else 1.0
    return {"before": before, "window": window, "statistic": statistic, "degrees_of_freedom": free, "p_value": p_value}


def windows():
    rng = np.random.default_rng(20130102)
    cases = [
        ([10, 20, 30], [10, 20, 30]),
        ([3, 2], [1, 1]),
        ([4000, 3000, 3000], [300, 350, 350]),
        ([50, 0, 50], [30, 5, 65]),
        ([1_000_000, 500_000, 1_500_000], [12, 5, 20]),
        ([600_000_000, 400_000_000], [60_030_000, 39_970_000]),
        ([3, 3, 3, 3, 50], [1, 5, 2, 0, 50]),
        ([2, 2, 2], [2, 1, 2]),
        ([9], [3]),
    ]
    for cells, n, m in [(10, 4000, 500), (30, 20000, 1000), (200, 50000, 2000), (200, 4000, 500), (7, 300, 900)]:
        share = rng.dirichlet(np.full(cells, 0.7))
        moved = 0.9 * share + 0.1 * rng.dirichlet(np.full(cells, 0.7))
        for window_share in (share, moved):
            cases.append((rng.multinomial(n, share).tolist(), rng.multinomial(m, window_share).tolist()))
    return [conformal(*case) for case in cases]


def power_mixture(t, surprise):
    """ln ∫₀¹ εᵗ e^((1−ε)L) dε, by the confluent hypergeometric function and checked by quadrature."""
    value = mpmath.hyp1f1(1, t + 2, surprise) / (t + 1)
    if surprise < 5000:
        peak = min(mpf(1), mpf(t) / surprise) if surprise else mpf(1)
        width = max(mpmath.sqrt(t + 1) / max(surprise, t + 1), mpf("1e-6"))
        grid = sorted({min(mpf(1), max(mpf(0), peak + k * width)) for k in range(-40, 41, 4)} | {mpf(0), mpf(1)})
        area = mpmath.quad(lambda e: e**t * mpmath.exp((1 - e) * surprise), grid)
        assert abs(area / value - 1) < mpf("1e-12"), (t, surprise, area / value)
    return float(mpmath.log(value))


def power_mixtures():
    cases = []
    for t in (0, 1, 2, 10, 52, 520, 5000):
        for surprise in (0.0, 1e-6, 0.5, t * 0.5, float(t), t + 1.5, t + 2.5, t * 1.3, t * 3.0, 1e3, 1e6):
            cases.append([t, surprise, power_mixture(t, mpf(surprise))])
    return cases


def p_value_streams():
    rng = np.random.default_rng(20130103)
    quiet = rng.uniform(size=120).tolist()
    late = quiet[:26] + (rng.uniform(size=6) ** 8).tolist()
    return [[1.0], [1e-12], [0.5, 1e-300, 1.0], quiet, late, [1.0] * 30 + [1e-10], (rng.uniform(size=60) ** 1.4).tolist()]


def change_mixture(p_values):
    """By definition: every first window of a change, every ε, every p-value since."""
    epsilons = [mpf(e) for e in (0.8, 0.6, 0.4, 0.25, 0.125, 1 / 32, 1 / 64, 1 / 128)]
    t = len(p_values)
    total = mpf(1) / (t + 1)  # what is put aside for later windows: Σ_{s>t} 1/(s(s+1))
    for first in range(1, t + 1):
        for epsilon in epsilons:
            product = mpf(1)
            for p in p_values[first - 1 :]:
                product *= epsilon * mpf(p) ** (epsilon - 1)
            total += product / len(epsilons) / (first * (first + 1))
    return mpmath.log(total)


def calibrated(p):
    """Vovk & Wang 2021, the mixture of p-to-e calibrators."""
    p = mpf(p)
    return mpf("0.5") if p == 1 else (1 - p + p * mpmath.log(p)) / (p * mpmath.log(p) ** 2)


def streams():
    cases = []
    for p_values in p_value_streams():
        spent = sum(calibrated(p) / (t * (t + 1)) for t, p in enumerate(p_values, 1))
        mixtures = [change_mixture(p_values[:t]) for t in range(len(p_values) + 1)]
        cases.append({
            "p_values": p_values,
            "power": power_mixture(len(p_values), -sum(mpmath.log(mpf(p)) for p in p_values)),
            "change": float(mixtures[-1]),
            "change_max": float(max(mixtures)),
            "spending": float(mpmath.log(spent)),
        })
    return cases


def adjusters():
    """(m − 1 − ln m) / ln² m."""
    cases = []
    for log in (1e-3, 0.5, 1.0, 5.0, 14.5, 100.0, 5000.0):
        m, x = mpmath.exp(mpf(log)), mpf(log)
        cases.append([log, float(mpmath.log((m - 1 - x) / x**2))])
    return cases


def e_bh_called(e_values, alpha):
    """Literally: the largest j so that at least j e-values reach k/(αj); those that reach it."""
    k = len(e_values)
    for j in range(k, 0, -1):
        called = [e * alpha * j >= k for e in e_values]
        if sum(called) >= j:
            return called
    return [False] * k


def e_bh():
    rng = np.random.default_rng(20130104)
    cases = []
    for size in (1, 2, 5, 12, 40):
        # Powers of two, so that no comparison above depends on rounding.
        e_values = [float(2.0**power) for power in rng.integers(-6, 14, size=size)]
        budgets = sorted({size / (j * e) for e in e_values for j in range(1, size + 1)} | {1.0})
        adjusted = [1.0] * size
        for i in range(size):
            for alpha in budgets:
                if alpha <= 1 and e_bh_called(e_values, alpha * (1 + 1e-12))[i]:
                    adjusted[i] = alpha
                    break
        cases.append({"e_values": e_values, "adjusted": adjusted})
    return cases


def mean_betting():
    rng = np.random.default_rng(20130105)
    cases = []
    for reference, tolerance, alpha, weeks in [
        (rng.binomial(1, 0.05, size=4000).tolist(), 0.01, 0.005, [rng.binomial(1, 0.1, size=300).tolist()] * 3),
        (rng.beta(2, 9, size=500).tolist(), 0.0, 0.025, [rng.beta(2, 7, size=50).tolist() for _ in range(6)]),
        (rng.uniform(size=50).tolist(), 0.0, 0.05, [[0.0] * 20, [1.0] * 200, [0.5] * 20]),
    ]:
        n = len(reference)
        log = np.log(2 / alpha)
        bound = np.mean(reference) + np.sqrt(2 * np.var(reference, ddof=1) * log / n) + 7 * log / (3 * (n - 1))
        mean_bound = bound + tolerance
        path = []
        products = [mpf(1)] * 8
        for week in weeks:
            for j in range(8):
                bet = mpf(1) / 2 ** (2 * j + 1) / mpf(mean_bound)
                for loss in week:
                    products[j] *= 1 + bet * (mpf(loss) - mpf(mean_bound))
            path.append(float(mpmath.log(sum(products) / 8)))
        cases.append({
            "reference": reference,
            "tolerance": tolerance,
            "alpha": alpha,
            "mean_bound": float(mean_bound),
            "weeks": weeks,
            "log_e_values": path,
        })
    return cases


def main():
    groups = {
        "windows": windows(),
        "power_mixture": power_mixtures(),
        "streams": streams(),
        "adjuster": adjusters(),
        "e_bh": e_bh(),
        "mean_betting": mean_betting(),
    }
    lines = []
    for name, cases in groups.items():
        rows = ",\n".join(json.dumps(case, allow_nan=False) for case in cases)
        lines.append(f'"{name}": [\n{rows}\n]')
    text = f'{{"tools": {json.dumps(VERSIONS)},\n"cases": {{\n' + ",\n".join(lines) + "\n}}\n"
    (FOLDER / "sequential.json").write_text(text)


main()
