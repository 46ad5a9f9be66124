"""Writes reference values for `stats::slice_search`.

    python -m venv venv && venv/bin/pip install -r requirements-slices.txt && venv/bin/python make_slices.py

`crates/stats/tests/slice_search.rs` checks them. Slices come from the package sliceline, intervals and tests
of two samples from SciPy and statsmodels.
"""

import importlib.metadata
import json
import pathlib

import numpy as np
import scipy
import scipy.stats
import sklearn
import statsmodels
from sliceline.slicefinder import Slicefinder
from statsmodels.stats.proportion import confint_proportions_2indep


def slices(codes, losses, options):
    finder = Slicefinder(**options, verbose=False)
    finder.fit(codes, losses)
    found = zip(finder.top_slices_, finder.top_slices_statistics_)
    return [
        {
            "conditions": [[column, int(code)] for column, code in enumerate(slice_) if code is not None],
            "score": of["slice_score"],
            "loss_sum": of["sum_slice_error"],
            "loss_max": of["max_slice_error"],
            "rows": int(of["slice_size"]),
        }
        for slice_, of in found
    ]


def case(name, codes, losses, **options):
    codes = np.asarray(codes, dtype=int)
    losses = np.asarray(losses, dtype=float)
    return {
        "name": name,
        "columns": codes.T.tolist(),
        "losses": losses.tolist(),
        **options,
        "slices": slices(codes, losses, options),
    }


def of_the_packages_tests():
    """Tables of the kind that the package tests itself with: the first half is wrong, columns say so in part."""
    rng = np.random.default_rng(1)
    halves = {}
    for half in (10, 100, 2000):
        one = [1] * half + [2] * (half // 2) + [1] * (half // 2)
        other = [1] * half + [1] * (half // 2) + [2] * (half // 2)
        noise = [rng.integers(1, high, size=2 * half) for high in (4, 5, 7)]
        halves[half] = np.array([one, other, *noise]).T, [1] * half + [0] * half
    basic = dict(alpha=0.95, k=2, max_l=2, min_sup=1)
    small, middle, large = halves[10], halves[100], halves[2000]
    ids = np.column_stack([middle[0], np.arange(200)])
    shares = np.concatenate([rng.integers(1, 61, 10), rng.integers(41, 101, 10)]) / 100
    nested = np.array([[1] * 6 + [2] * 2 + [1] * 4, [1] * 8 + [2] * 2 + [1] * 2, [1] * 10 + [2] * 2]).T
    levels = np.array([[1] * at + [2] * 2 + [1] * (14 - at) for at in (8, 10, 12, 14)]).T
    eight = [[1] * 6 + [2] * 2, [1, 1, 1, 1, 2, 2, 1, 1], list(range(1, 9)), [3, 3, 3, 1, 3, 1, 2, 1]]
    return [
        case("small", *small, **basic),
        case("hundreds", *middle, **basic),
        case("a column of ids", ids, middle[1], **basic),
        case("fifty rows at least", ids, middle[1], **{**basic, "min_sup": 50}),
        case("one condition", ids, middle[1], **{**basic, "max_l": 1}),
        case("alpha 0.7", ids, middle[1], **{**basic, "alpha": 0.7}),
        case("alpha 0.5", ids, middle[1], **{**basic, "alpha": 0.5}),
        case("three slices", ids, middle[1], **{**basic, "k": 3}),
        case("any number as loss", small[0], shares, **basic),
        case("thousands", *large, **{**basic, "k": 8, "max_l": 4}),
        case("three conditions", nested, [1] * 6 + [0] * 6, **{**basic, "max_l": 3}),
        case("four conditions", levels, [1] * 8 + [0] * 8, **{**basic, "max_l": 4}),
        case("eight rows", np.array(eight).T, [1, 1, 1, 1, 0, 0, 0, 0], **basic),
    ]


def random_tables():
    rng = np.random.default_rng(20130503)
    cases = []
    for number in range(24):
        rows, columns = int(rng.integers(60, 500)), int(rng.integers(3, 9))
        codes = np.column_stack([rng.integers(0, rng.integers(2, 7), size=rows) for _ in range(columns)])
        bad = (codes[:, 0] == 1) & (codes[:, 1] == 0)
        share = np.where(bad, 0.6, 0.2)
        if number % 2 == 0:
            losses = (rng.random(rows) < share).astype(float)
        else:
            losses = (share * rng.standard_normal(rows) ** 2 if number % 4 == 1 else rng.exponential(share)).round(6)
        options = dict(
            alpha=[0.6, 0.8, 0.95, 0.99][number % 4 if number < 12 else number % 3],
            k=[1, 4, 10, 25][number // 3 % 4],
            max_l=1 + number % 4,
            min_sup=[1, 5, 20][number // 2 % 3],
        )
        cases.append(case(f"random {number}", codes, losses, **options))
    return cases


def comparisons():
    rng = np.random.default_rng(5)
    out = []
    for inside, outside, factor in [(30, 400, 2.0), (12, 50, 1.0), (300, 40, 1.3), (500, 5000, 1.2), (5, 2000, 4.0)]:
        for kind in ("shares", "means"):
            if kind == "shares":
                x = (rng.random(inside) < min(0.15 * factor, 1)).astype(float)
                y = (rng.random(outside) < 0.15).astype(float)
            else:
                x, y = rng.exponential(factor, inside).round(5), rng.exponential(1.0, outside).round(5)
            out.append({"kind": kind, "inside": x.tolist(), "outside": y.tolist(), **compared(kind, x, y)})
    return out


def compared(kind, x, y):
    counts = (x.sum(), len(x), y.sum(), len(y))
    if kind == "shares":
        table = [[x.sum(), len(x) - x.sum()], [y.sum(), len(y) - y.sum()]]
        return {
            "p_value": float(scipy.stats.fisher_exact(table, alternative="greater").pvalue),
            "difference": [float(v) for v in confint_proportions_2indep(*counts, compare="diff", method="newcomb")],
            "ratio": [float(v) for v in confint_proportions_2indep(*counts, compare="ratio", method="log-adjusted")],
        }
    welch = scipy.stats.ttest_ind(x, y, equal_var=False, alternative="greater")
    interval = scipy.stats.ttest_ind(x, y, equal_var=False).confidence_interval(0.95)
    # The moments of the mean of all samples without replacement, and Pearson's type III with them.
    both = np.concatenate([x, y])
    all_, n = len(both), len(x)
    second, third = scipy.stats.moment(both, 2), scipy.stats.moment(both, 3)
    variance = second * (all_ - n) / (n * (all_ - 1))
    cube = third * (all_ - n) * (all_ - 2 * n) / (n**2 * (all_ - 1) * (all_ - 2))
    z = (x.mean() - both.mean()) / np.sqrt(variance)
    pearson = scipy.stats.pearson3.sf(z, cube / variance**1.5)
    permuted = scipy.stats.permutation_test(
        (x, y),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        alternative="greater",
        vectorized=True,
        n_resamples=100_000,
        batch=500,
        rng=np.random.default_rng(1),
    )
    return {
        "p_welch": float(welch.pvalue),
        "p_pearson": float(pearson),
        "p_permuted": float(permuted.pvalue),
        "difference": [float(interval.low), float(interval.high)],
    }


def main():
    versions = {"sliceline": importlib.metadata.version("sliceline")}
    versions |= {tool.__name__: tool.__version__ for tool in (np, scipy, sklearn, statsmodels)}
    out = {
        "tools": versions,
        "searches": of_the_packages_tests() + random_tables(),
        "comparisons": comparisons(),
    }
    path = pathlib.Path(__file__).with_name("slices.json")
    path.write_text(json.dumps(out) + "\n")
    print(f"{len(out['searches'])} searches, {sum(len(of['slices']) for of in out['searches'])} slices")


if __name__ == "__main__":
    main()
