"""Writes `flights.json`: what other tools say about one week of examples/flights.

    python -m venv venv && venv/bin/pip install -r requirements-flights.txt
    venv/bin/python make_flights.py

The end-to-end test `crates/forewarn/tests/e2e/flights.rs` holds `forewarn check --format json`
against it. Everything is computed from the committed Parquet files by pandas, SciPy and
scikit-learn, in float64 (the log's floats are float32; each is widened first, as the program does).
A row belongs to a window where `from <= scheduled_departure < to`. Statistics of one column leave
out its missing values. The 1-Wasserstein distance is divided by the reference's population
standard deviation (divisor n); shares are of all rows.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import pyarrow
import scipy
import scipy.stats
import sklearn
import sklearn.metrics as metrics

FOLDER = pathlib.Path(__file__).parent
DATA = FOLDER.parent.parent / "examples" / "flights" / "data"
WINDOW = ("2013-06-03", "2013-06-10")
REFERENCE = ("2013-01-01", "2013-05-01")
THRESHOLD = 0.5


def table(name):
    return pd.concat([pd.read_parquet(file) for file in sorted((DATA / name).glob("*.parquet"))])


def instant(text):
    return pd.Timestamp(text, tz="UTC")


def within(rows, window):
    time = rows["scheduled_departure"]
    start, end = (instant(text) for text in window)
    return rows[(time >= start) & (time < end)]


def numbers(rows, column):
    return rows[column].dropna().to_numpy(dtype=np.float64)


def performance(rows):
    known = rows[rows["delayed"].notna()]
    score = known["p_delayed"].to_numpy(dtype=np.float64)
    outcome = known["delayed"].to_numpy(dtype=bool)
    predicted = score >= THRESHOLD
    return {
        "rows": len(known),
        "positives": int(outcome.sum()),
        "roc_auc": metrics.roc_auc_score(outcome, score),
        "average_precision": metrics.average_precision_score(outcome, score),
        "accuracy": metrics.accuracy_score(outcome, predicted),
        "precision": metrics.precision_score(outcome, predicted),
        "recall": metrics.recall_score(outcome, predicted),
        "f1": metrics.f1_score(outcome, predicted),
        "brier": metrics.brier_score_loss(outcome, score),
        "log_loss": metrics.log_loss(outcome, score),
    }


def numeric_drift(before, now, column):
    old, new = numbers(before, column), numbers(now, column)
    test = scipy.stats.ks_2samp(old, new, method="asymp")
    distance = scipy.stats.wasserstein_distance(old, new) / old.std()
    return {"kolmogorov_smirnov": test.statistic, "wasserstein": distance}


def categorical_drift(before, now, column):
    counts = pd.DataFrame(
        {"before": before[column].value_counts(), "now": now[column].value_counts()}
    ).fillna(0)
    test = scipy.stats.chi2_contingency(counts.to_numpy(), correction=False)
    return {
        "chi_square": test.statistic,
        "degrees_of_freedom": test.dof,
        # Values that the program may pool with others, because few are expected.
        "least_expected": test.expected_freq.min(),
    }


def missing_share_change(before, now, column):
    return now[column].isna().mean() - before[column].isna().mean()


def mean_daily_brier(rows):
    known = rows[rows["delayed"].notna()]
    loss = (known["p_delayed"].astype(np.float64) - known["delayed"].astype(np.float64)) ** 2
    return loss.groupby(known["scheduled_departure"].dt.floor("D")).mean().mean()


def main():
    predictions, outcomes = table("predictions"), table("outcomes")
    assert predictions["flight_id"].is_unique and outcomes["flight_id"].is_unique
    log = predictions.merge(outcomes, on="flight_id", how="left")
    now, before = within(log, WINDOW), within(log, REFERENCE)
    facts = {
        "tools": {
            "pandas": pd.__version__,
            "pyarrow": pyarrow.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "window": "/".join(WINDOW),
        "reference": "/".join(REFERENCE),
        "rows": {"window": len(now), "reference": len(before)},
        "outcomes": {
            "with_outcome": int(now["delayed"].notna().sum()),
            "without_outcome": int(now["delayed"].isna().sum()),
            "with_outcome_known_at_window_end": int((now["arrived_at"] <= instant(WINDOW[1])).sum()),
        },
        "performance": performance(now),
        "reference_performance": performance(before),
        "origin": {value: performance(rows) for value, rows in now.groupby("origin")},
        "numeric_drift": {
            column: numeric_drift(before, now, column)
            for column in ["temp", "humid", "scheduled_minutes", "p_delayed"]
        },
        "categorical_drift": {
            column: categorical_drift(before, now, column) for column in ["origin", "carrier"]
        },
        "mean_daily_brier": {
            "/".join(window): mean_daily_brier(within(log, window))
            for window in [REFERENCE, ("2013-07-01", "2013-08-01"), ("2013-11-01", "2013-12-01")]
        },
        "missing_share_change": {
            column: missing_share_change(before, now, column)
            for column in ["wind_gust", "pressure", "plane_year", "hour"]
        },
    }
    plain = json.dumps(facts, indent=2, default=lambda value: value.item())
    (FOLDER / "flights.json").write_text(plain + "\n")


if __name__ == "__main__":
    main()
