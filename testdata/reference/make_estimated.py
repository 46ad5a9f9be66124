"""Writes the reference values for `stats::estimated` from scikit-learn and NannyML 0.13.1.

    python -m venv venv && venv/bin/pip install -r requirements-estimated.txt
    NML_DISABLE_USAGE_LOGGING=1 venv/bin/python make_estimated.py

`estimated.json` holds the inputs as well. The data are those that NannyML's wheel carries, and
NannyML saw exactly the rows that are stored: its scores have two decimals, so rows with the same
score (and outcome, and prediction) are stored as one point with a count.
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
from nannyml.performance_estimation.confidence_based.metrics import estimate_ap, estimate_roc_auc
from sklearn.isotonic import IsotonicRegression

# NannyML 0.13.1 reshapes category columns, which the string columns of pandas 3 cannot do.
pd.set_option("future.infer_string", False)

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {
    "nannyml": nannyml.__version__,
    "numpy": np.__version__,
    "pandas": pd.__version__,
    "scikit-learn": sklearn.__version__,
}
CONFUSION = ["true_positive", "true_negative", "false_positive", "false_negative"]


def plain(value):
    """NumPy values as Python ones, for JSON."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, pd.Series, pd.Index)):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    return value


def write(cases):
    lines = [f"{json.dumps(name)}: {json.dumps(plain(case), allow_nan=False)}" for name, case in cases.items()]
    text = f'{{"tools": {json.dumps(VERSIONS)},\n"cases": {{\n' + ",\n".join(lines) + "\n}}\n"
    (FOLDER / "estimated.json").write_text(text)


def isotonic():
    rng = np.random.default_rng(1)
    cases = []
    for rows, decimals, kind in [(3, 1, "plain"), (40, 1, "ties"), (60, 9, "plain"), (60, 2, "weights")]:
        x = np.round(rng.random(rows), decimals)
        y = (rng.random(rows) < x**1.5).astype(float)
        weights = rng.integers(0, 5, rows) / 2 if kind == "weights" else np.ones(rows)
        fit = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weights)
        at = np.linspace(-0.1, 1.1, 49)
        cases.append({"x": x, "y": y, "weights": weights, "at": at, "fitted": fit.predict(at)})
    falling = IsotonicRegression(out_of_bounds="clip").fit([1.0, 2.0, 3.0, 4.0], [4.0, 1.0, 3.0, 2.5])
    cases.append(
        {
            "x": [1.0, 2.0, 3.0, 4.0],
            "y": [4.0, 1.0, 3.0, 2.5],
            "weights": [1.0] * 4,
            "at": [0.0, 2.5, 9.0],
            "fitted": falling.predict([0.0, 2.5, 9.0]),
        }
    )
    return cases


def by_score(scores):
    values, counts = np.unique(scores, return_counts=True)
    return [values, counts]


def car_loan():
    """NannyML's CBPE on all of its car-loan data, ten chunks of 5000."""
    reference, analysis, _ = nannyml.load_synthetic_car_loan_dataset()
    metrics = ["roc_auc", "average_precision", "f1", "precision", "recall", "specificity", "accuracy"]
    estimator = nannyml.CBPE(
        metrics=metrics + ["confusion_matrix"],
        y_pred_proba="y_pred_proba",
        y_true="repaid",
        y_pred="y_pred",
        problem_type="classification_binary",
        chunk_size=5000,
    )
    counted = reference.groupby("y_pred_proba")["repaid"].agg(["sum", "count"])
    estimator.fit(reference.copy())
    frame = estimator.estimate(analysis.copy()).filter(period="analysis").to_df()
    threshold = 0.65
    for rows in (reference, analysis):
        assert ((rows["y_pred_proba"] >= threshold) == (rows["y_pred"] == 1)).all()
    at = np.linspace(0.0, 1.0, 101)
    return {
        "threshold": threshold,
        "calibrate": bool(estimator.needs_calibration),
        "calibrated": estimator.calibrator.calibrate(at),
        "reference": [counted.index, counted["sum"].astype(int), (counted["count"] - counted["sum"]).astype(int)],
        "chunks": [
            {
                "scores": by_score(analysis["y_pred_proba"].iloc[5000 * i : 5000 * (i + 1)]),
                **{name: frame[(name, "value")].iloc[i] for name in metrics + CONFUSION},
            }
            for i in range(len(frame))
        ],
    }


def multiclass():
    """NannyML's CBPE on its multiclass data: the whole reference, and four of ten chunks of 6000.

    Rows are stored as counts by scores (in hundredths), prediction and outcome.
    """
    reference, analysis, _ = nannyml.load_synthetic_multiclass_classification_dataset()
    prefix = "y_pred_proba_"
    classes = sorted(name.removeprefix(prefix) for name in reference.columns if name.startswith(prefix))
    columns = [prefix + name for name in classes]
    metrics = ["roc_auc", "average_precision", "f1", "precision", "recall", "specificity", "accuracy"]
    estimator = nannyml.CBPE(
        metrics=metrics + ["confusion_matrix"],
        y_pred_proba=dict(zip(classes, columns)),
        y_true="y_true",
        y_pred="y_pred",
        problem_type="classification_multiclass",
        chunk_size=6000,
    )
    estimator.fit(reference.copy())
    frame = estimator.estimate(analysis.copy()).filter(period="analysis").to_df()

    def counted(rows, labels):
        rows = rows.assign(**{c: (rows[c] * 100).round().astype(int) for c in columns})
        rows = rows.assign(**{label: rows[label].map(classes.index) for label in labels})
        counts = rows.groupby(columns + labels).size().reset_index(name="count")
        return [counts[name] for name in columns + labels + ["count"]]

    chunks = []
    for i in [0, 4, 5, 9]:
        values = {name: frame[(name, "value")].iloc[i] for name in metrics}
        confusion = [[frame[(f"true_{t}_pred_{p}", "value")].iloc[i] for p in classes] for t in classes]
        rows = counted(analysis.iloc[6000 * i : 6000 * (i + 1)], ["y_pred"])
        chunks.append({"rows": rows, "confusion": confusion, **values})
    fitted = [estimator._calibrators[name] for name in classes]
    return {
        "calibrate": [type(calibrator).__name__ == "IsotonicCalibrator" for calibrator in fitted],
        "reference": counted(reference, ["y_pred", "y_true"]),
        "chunks": chunks,
    }


def direct_loss():
    """NannyML's DLE (LightGBM with its defaults) on every 20th row of its regression data.

    3000 rows of reference and five chunks of 600; categories are stored as codes. `realised` is
    what the outcomes of the chunks then showed, by NannyML as well.
    """
    reference, analysis, targets = nannyml.load_synthetic_car_price_dataset()
    analysis = analysis.merge(targets, left_index=True, right_index=True)
    reference = reference.iloc[::20].reset_index(drop=True)
    analysis = analysis.iloc[::20].reset_index(drop=True)
    numeric = ["car_age", "km_driven", "price_new", "accident_count", "door_count"]
    categorical = ["fuel", "transmission"]
    metrics = ["mae", "mse", "rmse", "mape"]
    estimator = nannyml.DLE(
        feature_column_names=numeric + categorical,
        y_pred="y_pred",
        y_true="y_true",
        metrics=metrics,
        chunk_size=600,
    )
    estimator.fit(reference.copy())
    frame = estimator.estimate(analysis.copy()).filter(period="analysis").to_df()
    codes = {name: sorted(reference[name].unique()) for name in categorical}

    def columns(rows):
        coded = [rows[name].map(codes[name].index) for name in categorical]
        return {
            "numeric": [rows[name].astype(int) for name in numeric],
            "categorical": coded,
            "predictions": rows["y_pred"].astype(int),
        }

    for rows in (reference, analysis):
        assert (rows[numeric + ["y_pred", "y_true"]] % 1 == 0).all().all()
    return {
        "reference": columns(reference),
        "outcomes": reference["y_true"].astype(int),
        "chunks": [
            {
                **columns(analysis.iloc[600 * i : 600 * (i + 1)]),
                "estimated": {name: frame[(name, "value")].iloc[i] for name in metrics},
                "realised": {name: frame[(name, "realized")].iloc[i] for name in metrics},
            }
            for i in range(len(frame))
        ],
    }


def importance_weighted():
    """Isotonic regression with weights by scikit-learn, and NannyML's estimates from its fit."""
    rng = np.random.default_rng(2)
    scores = np.round(rng.beta(1.2, 2.0, 400), 2)
    second = rng.random(400) < 0.2
    outcomes = rng.random(400) < np.where(second, 0.4 * scores, scores)
    weights = np.where(second, 2.5, 0.625)
    current = np.round(rng.beta(1.5, 1.5, 300), 2)
    fit = IsotonicRegression(out_of_bounds="clip").fit(scores, outcomes.astype(float), sample_weight=weights)
    calibrated = fit.predict(current)
    return {
        "scores": scores,
        "outcomes": outcomes,
        "weights": weights,
        "effective_rows": weights.sum() ** 2 / (weights**2).sum(),
        "current": by_score(current),
        "roc_auc": estimate_roc_auc(calibrated, current),
        "average_precision": estimate_ap(calibrated, current),
        "positive_share": calibrated.mean(),
    }


if __name__ == "__main__":
    write(
        {
            "isotonic": isotonic(),
            "car_loan": car_loan(),
            "importance_weighted": importance_weighted(),
            "multiclass": multiclass(),
            "direct_loss": direct_loss(),
        }
    )
