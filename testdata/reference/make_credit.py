"""Writes `credit.json`: what Fairlearn and scikit-learn say about examples/credit.

    python -m venv venv && venv/bin/pip install -r requirements-credit.txt
    venv/bin/python make_credit.py

Everything is computed from the committed CSV file, for both versions' scores, over the whole log
and over its last 13 weeks. The positive class is predicted where the score is at least 0.5. A row
belongs to a window where `from <= applied_at < to`.

Values by group are those of Fairlearn's MetricFrame: `selection_rate` is the share of people who are
predicted positive, `true_positive_rate` that share among those whose outcome is 1,
`false_positive_rate` among those whose outcome is 0, `precision` the share of outcomes 1 among those
predicted positive (null where nobody is). Differences and ratios are between the largest and the
smallest group (`method="between_groups"`); that of equalised odds is the worse of those of the true and
of the false positive rate (`agg="worst_case"`). They are also given over groups of at least
200 people, because a group of few decides a difference by chance. It prints the tables of
examples/credit/README.md.
"""

import json
import pathlib

import fairlearn
import fairlearn.metrics as fair
import numpy as np
import pandas as pd
import scipy
import sklearn
import sklearn.metrics as metrics

FOLDER = pathlib.Path(__file__).parent
LOG = FOLDER.parent.parent / "examples" / "credit" / "data" / "applications.csv"
WINDOWS = {
    "whole": ("2025-01-01", "2025-07-01"),
    "last_13_weeks": ("2025-04-01", "2025-07-01"),
}
SCORES = ["p_over_50k", "p_previous"]
THRESHOLD = 0.5
LARGE = 200
# Lower ends, as in the definition's SQL.
AGE_GROUPS = {
    0: "under 25",
    25: "25 to 34",
    35: "35 to 44",
    45: "45 to 54",
    55: "55 to 64",
    65: "65 and over",
}
GROUPINGS = ["sex", "race", "age_group", "marital_status", "sex_and_race"]


def applications():
    log = pd.read_csv(LOG, keep_default_na=False)
    log["applied_at"] = pd.to_datetime(log["applied_at"])
    assert log["application_id"].is_unique and len(log) == 32561
    ends = [*AGE_GROUPS, 200]
    log["age_group"] = pd.cut(log["age"], ends, right=False, labels=list(AGE_GROUPS.values())).astype(str)
    log["sex_and_race"] = log["sex"] + ", " + log["race"]
    return log


def within(rows, window):
    start, end = (pd.Timestamp(text, tz="UTC") for text in window)
    return rows[(rows["applied_at"] >= start) & (rows["applied_at"] < end)]


def performance(rows, score):
    outcome, scores = rows["over_50k"].to_numpy(), rows[score].to_numpy()
    predicted = (scores >= THRESHOLD).astype(int)
    return {
        "rows": len(rows),
        "positives": int(outcome.sum()),
        "roc_auc": metrics.roc_auc_score(outcome, scores),
        "average_precision": metrics.average_precision_score(outcome, scores),
        "accuracy": metrics.accuracy_score(outcome, predicted),
        "precision": metrics.precision_score(outcome, predicted),
        "recall": metrics.recall_score(outcome, predicted),
        "f1": metrics.f1_score(outcome, predicted),
        "brier": metrics.brier_score_loss(outcome, scores),
        "log_loss": metrics.log_loss(outcome, scores),
    }


def precision(outcome, predicted):
    return metrics.precision_score(outcome, predicted, zero_division=np.nan)


def positives(outcome, _predicted):
    return int(outcome.sum())


def by_group(rows, score, grouping):
    frame = fair.MetricFrame(
        metrics={
            "rows": fair.count,
            "positives": positives,
            "selection_rate": fair.selection_rate,
            "true_positive_rate": fair.true_positive_rate,
            "false_positive_rate": fair.false_positive_rate,
            "precision": precision,
            "accuracy": metrics.accuracy_score,
        },
        y_true=rows["over_50k"],
        y_pred=(rows[score] >= THRESHOLD).astype(int),
        sensitive_features=rows[grouping],
    )
    facts = frame.by_group.astype(float)
    # Ranking within a group needs the scores, which the frame of predictions does not have.
    for group, members in rows.groupby(grouping):
        both = members["over_50k"].nunique() == 2
        facts.loc[group, "roc_auc"] = (
            metrics.roc_auc_score(members["over_50k"], members[score]) if both else np.nan
        )
        facts.loc[group, "mean_score"] = members[score].mean()
    return facts


def disparities(rows, score, grouping):
    arguments = {
        "y_true": rows["over_50k"],
        "y_pred": (rows[score] >= THRESHOLD).astype(int),
        "sensitive_features": rows[grouping],
    }
    return {
        "groups": sorted(rows[grouping].unique()),
        "demographic_parity_difference": fair.demographic_parity_difference(**arguments),
        "demographic_parity_ratio": fair.demographic_parity_ratio(**arguments),
        "equalized_odds_difference": fair.equalized_odds_difference(**arguments),
        "equalized_odds_ratio": fair.equalized_odds_ratio(**arguments),
        "equal_opportunity_difference": fair.equal_opportunity_difference(**arguments),
        "equal_opportunity_ratio": fair.equal_opportunity_ratio(**arguments),
    }


def of_large_groups(rows, grouping):
    sizes = rows[grouping].map(rows[grouping].value_counts())
    return rows[sizes >= LARGE]


def grouped(rows, score, grouping):
    table = by_group(rows, score, grouping)
    counts = ["rows", "positives"]
    groups = {
        name: {
            key: None if np.isnan(value) else int(value) if key in counts else value
            for key, value in values.items()
        }
        for name, values in table.to_dict(orient="index").items()
    }
    return {
        "by_group": groups,
        "all_groups": disparities(rows, score, grouping),
        "large_groups": disparities(of_large_groups(rows, grouping), score, grouping),
    }


def share(value):
    return "" if value is None else f"{value:.3f}"


def print_tables(facts):
    for score in SCORES:
        for window in WINDOWS:
            print(f"\n## {score}, {window}")
            of = facts["scores"][score][window]
            print("\n" + ", ".join(f"{name} {value:.3f}" for name, value in of["overall"].items()))
            print("\n| | People | Above | Mean score | Selected | TPR | FPR | Precision | AUC |")
            print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
            for grouping in GROUPINGS:
                for name, group in of[grouping]["by_group"].items():
                    rate = share(group["positives"] / group["rows"])
                    keys = ["mean_score", "selection_rate", "true_positive_rate"]
                    keys += ["false_positive_rate", "precision", "roc_auc"]
                    cells = " | ".join(share(group[key]) for key in keys)
                    print(f"| {name} | {group['rows']:,} | {rate} | {cells} |")
            names = ["demographic_parity_difference", "demographic_parity_ratio"]
            names += ["equal_opportunity_difference", "equalized_odds_difference"]
            print("\n| | " + " | ".join(names) + " |\n|---|--:|--:|--:|--:|")
            for grouping in GROUPINGS:
                for kind in ("all_groups", "large_groups"):
                    cells = " | ".join(share(of[grouping][kind][name]) for name in names)
                    print(f"| {grouping}, {kind} | {cells} |")


def main():
    log = applications()
    facts = {
        "tools": {
            "fairlearn": fairlearn.__version__,
            "scikit-learn": sklearn.__version__,
            "pandas": pd.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "threshold": THRESHOLD,
        "large_groups_have_at_least": LARGE,
        "windows": {name: "/".join(window) for name, window in WINDOWS.items()},
        "scores": {
            score: {
                name: {
                    "overall": performance(rows, score),
                    **{grouping: grouped(rows, score, grouping) for grouping in GROUPINGS},
                }
                for name, window in WINDOWS.items()
                for rows in [within(log, window)]
            }
            for score in SCORES
        },
    }
    plain = json.dumps(facts, indent=2, default=lambda value: value.item(), allow_nan=False)
    (FOLDER / "credit.json").write_text(plain + "\n")
    print_tables(json.loads(plain))


if __name__ == "__main__":
    main()
