#!/usr/bin/env python3
"""How often the intervals and the band of CORP hold what they promise, simulated with scikit-learn's isotonic regression.

    python -m venv venv && venv/bin/pip install numpy scikit-learn
    venv/bin/python bench/corp_coverage.py

Nothing here uses Forewarn: the method that `stats::classification::calibration::corp` describes is made anew, so that
its promise is held against another implementation. The truth is known, because outcomes are drawn from it: of each
window the parts of the Brier score that the true probabilities of its very scores have.
"""

import argparse
import json

import numpy as np
from sklearn.isotonic import isotonic_regression

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
PLACES = [0.05, 0.25, 0.5, 0.75, 0.95]


def fit(outcomes):
    return isotonic_regression(outcomes, y_min=0, y_max=1)


def calibrated(n, rng):
    scores = np.sort(rng.beta(2, 5, n))
    return scores, scores


def over_confident(n, rng):
    scores = np.sort(rng.random(n))
    return scores, 1 / (1 + np.exp(-0.5 * np.log(scores / (1 - scores))))


def hardly_telling_apart(n, rng):
    truth = np.sort(rng.uniform(0.45, 0.55, n))
    return np.clip(0.5 + 3 * (truth - 0.5), 0.01, 0.99), truth


WORLDS = {"calibrated": calibrated, "over-confident": over_confident, "hardly telling apart": hardly_telling_apart}


def parts(scores, outcomes, recalibrated):
    """Miscalibration and discrimination."""
    of_fit = np.mean((recalibrated - outcomes) ** 2)
    of_share = np.mean((outcomes.mean() - outcomes) ** 2)
    return np.array([np.mean((scores - outcomes) ** 2) - of_fit, of_share - of_fit])


def true_parts(scores, truth):
    return np.array([np.mean((scores - truth) ** 2), np.mean((truth - truth.mean()) ** 2)])


def simulate(world, n, windows, replicates, rng):
    covered, in_band, refused = np.zeros(2), [], []
    for _ in range(windows):
        scores, truth = WORLDS[world](n, rng)
        outcomes = (rng.random(n) < truth).astype(float)
        recalibrated = fit(outcomes)
        found, known = parts(scores, outcomes, recalibrated), true_parts(scores, recalibrated)
        misses = np.empty((replicates, 2))
        for replicate in range(replicates):
            again = (rng.random(n) < recalibrated).astype(float)
            misses[replicate] = parts(scores, again, fit(again)) - known
        low, high = np.quantile(misses, [TAIL, 1 - TAIL], axis=0)
        lower, upper = np.minimum(np.maximum(found - high, 0), found), np.maximum(found - low, found)
        wanted = true_parts(scores, truth)
        covered += (lower - 1e-15 <= wanted) & (wanted <= upper)
        if world != "calibrated":
            continue
        at = np.minimum(np.searchsorted(scores, np.quantile(scores, PLACES)), n - 1)
        fits, by_chance = np.empty((replicates, len(PLACES))), np.empty(replicates)
        for replicate in range(replicates):
            drawn = (rng.random(n) < scores).astype(float)
            again = fit(drawn)
            fits[replicate], by_chance[replicate] = again[at], parts(scores, drawn, again)[0]
        low, high = np.quantile(fits, [TAIL, 1 - TAIL], axis=0)
        in_band.append((low <= recalibrated[at]) & (recalibrated[at] <= high))
        refused.append((np.sum(by_chance >= found[0] - 1e-12) + 1) / (replicates + 1) < 0.05)
    result = {"truth": world, "rows": n, "miscalibration": covered[0] / windows, "discrimination": covered[1] / windows}
    if in_band:
        result["band"] = np.mean(in_band, axis=0).round(3).tolist()
        result["refused"] = float(np.mean(refused))
    return result


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, nargs="+", default=[400, 4000])
    arguments.add_argument("--truths", nargs="+", choices=WORLDS, default=list(WORLDS))
    arguments.add_argument("--windows", type=int, default=100)
    arguments.add_argument("--replicates", type=int, default=100)
    given = arguments.parse_args()
    for n in given.rows:
        for world in given.truths:
            rng = np.random.default_rng(1)
            print(json.dumps(simulate(world, n, given.windows, given.replicates, rng)), flush=True)


if __name__ == "__main__":
    main()
