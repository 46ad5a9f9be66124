"""Writes two small logs, `testdata/tasks/`, and what scikit-learn and NannyML 0.13.1 say of them.

    python -m venv venv && venv/bin/pip install -r requirements-estimated.txt pyarrow
    NML_DISABLE_USAGE_LOGGING=1 venv/bin/python make_task_logs.py

The rows are of NannyML's synthetic data sets (credit cards: three classes; car prices: a number; Apache
License 2.0), put into three months: the reference in January 2024, the first rows of NannyML's analysis
period in February and the last, which drifted, in March. `task_logs.json` holds, by month, the metrics from the
outcomes, and what CBPE and direct loss estimation say without them.
"""

import json
import os
import pathlib
import warnings

os.environ.setdefault("NML_DISABLE_USAGE_LOGGING", "1")
warnings.filterwarnings("ignore")

import nannyml
import numpy as np
import pandas as pd
import sklearn
from sklearn import metrics

# NannyML 0.13.1 reshapes category columns, which the string columns of pandas 3 cannot do.
pd.set_option("future.infer_string", False)

FOLDER = pathlib.Path(__file__).parent
LOGS = FOLDER.parent / "tasks"
VERSIONS = {
    "nannyml": nannyml.__version__,
    "numpy": np.__version__,
    "pandas": pd.__version__,
    "scikit-learn": sklearn.__version__,
}
CLASSES = ["highstreet_card", "prepaid_card", "upmarket_card"]
PROBABILITIES = [f"y_pred_proba_{name}" for name in CLASSES]
ROWS = {"2024-01": 1800, "2024-02": 800, "2024-03": 800}


def months(reference, analysis, targets):
    """The rows of each month, with a time and the outcome."""
    analysis = analysis.merge(targets, on="id")
    parts = {
        "2024-01": reference.iloc[: ROWS["2024-01"]],
        "2024-02": analysis.iloc[: ROWS["2024-02"]],
        "2024-03": analysis.iloc[-ROWS["2024-03"] :],
    }
    for month, part in parts.items():
        first = pd.Timestamp(f"{month}-01", tz="UTC")
        length = first + pd.offsets.MonthBegin(1) - first
        step = (length / len(part)).floor("s")
        parts[month] = part.assign(at=[first + row * step for row in range(len(part))]).reset_index(drop=True)
    return parts


def of_classes(rows):
    outcomes, predicted = rows["y_true"], rows["y_pred"]
    probabilities = rows[PROBABILITIES].to_numpy()
    # The data's probabilities have two decimals, so some rows add up to 0.99 or 1.01.
    scaled = probabilities / probabilities.sum(axis=1, keepdims=True)
    happened = np.array([[float(y == name) for name in CLASSES] for y in outcomes])
    areas = [metrics.roc_auc_score(outcomes == name, probabilities[:, at]) for at, name in enumerate(CLASSES)]
    of_outcome = np.clip((probabilities * happened).sum(axis=1), np.finfo(float).eps, 1)
    assert abs(np.mean(areas) - metrics.roc_auc_score(outcomes, scaled, multi_class="ovr")) < 2e-3
    return {
        "accuracy": metrics.accuracy_score(outcomes, predicted),
        "macro_f1": metrics.f1_score(outcomes, predicted, average="macro"),
        "macro_roc_auc": np.mean(areas),
        "log_loss": -np.log(of_outcome).mean(),
        "brier": ((probabilities - happened) ** 2).sum(axis=1).mean(),
    }


def multiclass():
    parts = months(*nannyml.load_synthetic_multiclass_classification_dataset())
    estimator = nannyml.CBPE(
        y_pred="y_pred", y_true="y_true", y_pred_proba=dict(zip(CLASSES, PROBABILITIES)),
        problem_type="classification_multiclass", metrics=["roc_auc", "f1", "accuracy"], chunk_number=1,
    ).fit(parts["2024-01"])
    log = pd.concat(parts.values())
    features = ["acq_channel", "app_behavioral_score", "app_channel", "credit_bureau_score", "stated_income"]
    log = log[["id", "at", *features, *PROBABILITIES, "y_pred", "y_true"]].copy()
    log["app_behavioral_score"] = log["app_behavioral_score"].round(3)
    log["at"] = log["at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    log.to_csv(LOGS / "cards.csv", index=False)
    found = {}
    for month, rows in parts.items():
        estimated = estimator.estimate(rows).filter(period="analysis").to_df() if month != "2024-01" else None
        names = {"macro_roc_auc": "roc_auc", "macro_f1": "f1", "accuracy": "accuracy"}
        found[month] = {
            "realised": of_classes(rows),
            "segments": {name: of_classes(part)["macro_f1"] for name, part in rows.groupby("app_channel")},
            "estimated": {}
            if estimated is None
            else {ours: float(estimated[(theirs, "value")].iloc[0]) for ours, theirs in names.items()},
        }
    return found


def of_numbers(rows):
    outcomes, predicted = rows["y_true"], rows["y_pred"]
    return {
        "mae": metrics.mean_absolute_error(outcomes, predicted),
        "rmse": metrics.root_mean_squared_error(outcomes, predicted),
        "r2": metrics.r2_score(outcomes, predicted),
        "mape": metrics.mean_absolute_percentage_error(outcomes, predicted),
        "mean_error": (predicted - outcomes).mean(),
    }


def regression():
    parts = months(*nannyml.load_synthetic_car_price_dataset())
    features = ["car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"]
    estimator = nannyml.DLE(
        feature_column_names=features, y_pred="y_pred", y_true="y_true", timestamp_column_name="at",
        metrics=["mae", "rmse", "mape"], chunk_number=1,
    ).fit(parts["2024-01"])
    whole = pd.concat(parts.values())
    whole[["id", "at", *features, "y_pred"]].to_parquet(LOGS / "cars.parquet", index=False, compression="zstd")
    outcomes = whole[["id", "y_true"]].assign(sold=whole["at"] + pd.Timedelta(days=10))
    outcomes.to_parquet(LOGS / "cars-sold.parquet", index=False, compression="zstd")
    found = {}
    for month, rows in parts.items():
        estimated = estimator.estimate(rows).filter(period="analysis").to_df() if month != "2024-01" else None
        found[month] = {
            "realised": of_numbers(rows),
            "segments": {name: of_numbers(part)["mae"] for name, part in rows.groupby("fuel")},
            "estimated": {}
            if estimated is None
            else {name: float(estimated[(name, "value")].iloc[0]) for name in ["mae", "rmse", "mape"]},
        }
    return found


def main():
    LOGS.mkdir(exist_ok=True)
    content = {"tools": VERSIONS, "cards": multiclass(), "cars": regression()}
    text = json.dumps(content, allow_nan=False, indent=1, default=float)
    (FOLDER / "task_logs.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
