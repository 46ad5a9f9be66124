"""What scikit-learn says each day's predictions of `testdata/tasks/` lost.

    python -m venv venv && venv/bin/pip install -r requirements-daily-losses.txt
    venv/bin/python make_daily_losses.py

`daily_losses.json` holds, by month (UTC), the mean over days of the day's mean loss: of the cards the Brier score
and the share of wrong predictions, of the cars the absolute error, of which one beyond `LARGEST` counts as that.
"""

import json
import pathlib

import numpy as np
import pandas as pd
import sklearn
from sklearn import metrics

FOLDER = pathlib.Path(__file__).parent
LOGS = FOLDER.parent / "tasks"
CLASSES = ["highstreet_card", "prepaid_card", "upmarket_card"]
LARGEST = 2000


def by_day(rows, of_day):
    """The mean over the days of each month of what a day's rows come to."""
    days = rows.groupby(rows["at"].dt.floor("D")).apply(of_day)
    months = days.groupby(days.index.strftime("%Y-%m"))
    return {month: {"days": len(of_month), "loss": of_month.mean()} for month, of_month in months}


def brier(day):
    probabilities = day[[f"y_pred_proba_{name}" for name in CLASSES]]
    return metrics.brier_score_loss(day["y_true"], probabilities, labels=CLASSES, scale_by_half=False)


def main():
    cards = pd.read_csv(LOGS / "cards.csv", parse_dates=["at"])
    cars = pd.read_parquet(LOGS / "cars.parquet")
    cars = cars.merge(pd.read_parquet(LOGS / "cars-sold.parquet"), on="id")
    cars["at"] = pd.to_datetime(cars["at"], utc=True)
    near = cars["y_true"].clip(cars["y_pred"] - LARGEST, cars["y_pred"] + LARGEST)
    cars["near"] = near
    content = {
        "tools": {"numpy": np.__version__, "pandas": pd.__version__, "scikit-learn": sklearn.__version__},
        "largest_error": LARGEST,
        "cards": {
            "brier": by_day(cards, brier),
            "wrong": by_day(cards, lambda day: 1 - metrics.accuracy_score(day["y_true"], day["y_pred"])),
        },
        "cars": {
            "absolute": by_day(cars, lambda day: metrics.mean_absolute_error(day["near"], day["y_pred"])),
        },
    }
    text = json.dumps(content, allow_nan=False, indent=1, default=float)
    (FOLDER / "daily_losses.json").write_text(text + "\n")


main()
