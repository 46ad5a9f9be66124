"""Writes rank correlations with and without ties (`rank_correlations.json`).

    python -m venv venv && venv/bin/pip install -r requirements-stress.txt && venv/bin/python make_rank_correlations.py
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import stats

FOLDER = pathlib.Path(__file__).parent
rng = np.random.default_rng(20261128)


def case(x, y):
    return {"x": x.tolist(), "y": y.tolist(), "rho": float(stats.spearmanr(x, y).statistic)}


if __name__ == "__main__":
    x = rng.normal(size=30)
    tied = rng.integers(0, 5, 40).astype(float)
    cases = [case(x, x + rng.normal(size=30)), case(tied, np.round(-tied + rng.normal(size=40)))]
    made_by = {"numpy": np.__version__, "scipy": scipy.__version__}
    (FOLDER / "rank_correlations.json").write_text(json.dumps({"made_by": made_by, "cases": cases}) + "\n")
