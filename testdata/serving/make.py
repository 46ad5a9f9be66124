"""Writes the files of this folder: models in ONNX, rows, and the scores that others give to them.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python make.py

`flights.json` and `credit.json` have rows of the logs of the two examples, with the scores that are in the log:
ONNX Runtime computed them when the log was made, and they are rounded there to five and four decimals. Rows with
missing values and with texts that were never seen in training are among them on purpose.

`models.json` has small models that scikit-learn trained, which skl2onnx exported in every form that its users meet,
and the predictions of scikit-learn itself, in double precision. The last of them, `forest_nan`, is there because it
is wrong: a forest that learned from missing values, where the export and scikit-learn do not agree on rows with them.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pyarrow
import pyarrow.parquet
import skl2onnx
import sklearn
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = pathlib.Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
SEED = 6
ROWS = 40


def columns(frame):
    """The columns as JSON; what is missing is null."""
    plain = frame.astype(object).where(frame.notna(), None)
    return {name: plain[name].tolist() for name in frame.columns}


def write(name, content):
    tools = {
        "numpy": np.__version__,
        "onnxruntime": onnxruntime.__version__,
        "pandas": pd.__version__,
        "pyarrow": pyarrow.__version__,
        "scikit-learn": sklearn.__version__,
        "skl2onnx": skl2onnx.__version__,
    }
    text = json.dumps({"made_by": "make.py", "versions": tools, **content}, indent=1)
    (HERE / name).write_text(text + "\n")


def spread(frame, *odd):
    """Some rows from the whole of the frame, and the first ones of every odd kind."""
    rng = np.random.default_rng(SEED)
    chosen = list(rng.choice(len(frame), ROWS, replace=False))
    for kind in odd:
        chosen += list(np.flatnonzero(kind)[:5])
    return frame.iloc[sorted(set(chosen))].reset_index(drop=True)


def flights():
    # After training: the scores of the months before are out of fold, not the model's.
    folder = EXAMPLES / "flights" / "data" / "predictions"
    log = pd.concat(
        pyarrow.parquet.read_table(folder / f"2013-{month:02}.parquet").to_pandas(integer_object_nulls=True)
        for month in (5, 9, 12)
    )
    names = [entry.name for entry in onnx.load(EXAMPLES / "flights" / "model.onnx").graph.input]
    rows = spread(log, log["temp"].isna(), log["plane_year"].isna(), log["dest_lat"].isna())
    write("flights.json", {"columns": columns(rows[names]), "scores": scores(rows["p_delayed"], 5)})


def credit():
    # "" is what the log has for a missing text, and what pandas would take for a number that is none.
    log = pd.read_csv(EXAMPLES / "credit" / "data" / "applications.csv", keep_default_na=False)
    names = [entry.name for entry in onnx.load(EXAMPLES / "credit" / "model.onnx").graph.input]
    rows = spread(log, log["occupation"] == "", log["capital_gain"] == 99999)
    texts = rows[names].replace("", None)
    write("credit.json", {"columns": columns(texts), "scores": scores(rows["p_over_50k"], 4)})


def scores(column, decimals):
    """float32 of five decimals, written with them."""
    return [round(float(score), decimals) for score in column]


def export(name, model, types, zipmap, rows):
    """Writes the model, and returns its entry."""
    options = {id(model): {"zipmap": zipmap}} if hasattr(model, "predict_proba") else None
    opset = {"": 17, "ai.onnx.ml": 3}
    converted = convert_sklearn(model, name=name, initial_types=types, options=options, target_opset=opset)
    if len(types) == 1:
        onnx.helper.set_model_props(converted, {"feature_names": json.dumps(list(rows.columns))})
    operator_sets = sorted(converted.opset_import, key=lambda operators: operators.domain)
    del converted.opset_import[:]
    converted.opset_import.extend(operator_sets)
    (HERE / f"{name}.onnx").write_bytes(converted.SerializeToString(deterministic=True))
    taken = rows if isinstance(model, Pipeline) else rows.to_numpy()
    predict = getattr(model, "predict_proba", model.predict)
    entry = {"columns": columns(rows), "predictions": predict(taken).tolist()}
    if hasattr(model, "classes_"):
        entry["classes"] = [str(label) for label in model.classes_]
    return entry


def models():
    iris, diabetes = load_iris(as_frame=True), load_diabetes(as_frame=True)
    flowers = iris.data.rename(columns=lambda name: name.replace(" (cm)", "").replace(" ", "_"))
    names = np.array(["setosa", "versicolor", "virginica"])[iris.target]
    some = flowers.iloc[::15].reset_index(drop=True)
    width = flowers.shape[1]
    three = LogisticRegression(max_iter=1000).fit(flowers.to_numpy(), names)
    two = LogisticRegression(max_iter=1000).fit(flowers.to_numpy(), iris.target == 2)
    labels = LogisticRegression(max_iter=1000).fit(flowers.to_numpy(), (iris.target == 2).astype(int))
    line = LinearRegression().fit(diabetes.data.to_numpy(), diabetes.target)
    entries = {
        "together": export("together", three, [("x", FloatTensorType([None, width]))], False, some),
        "zipmap_texts": export("zipmap_texts", three, [("x", FloatTensorType([None, width]))], True, some),
        "zipmap_numbers": export("zipmap_numbers", labels, [("x", FloatTensorType([None, width]))], True, some),
        "booleans": export("booleans", two, [("x", FloatTensorType([None, width]))], False, some),
        "regression": export(
            "regression",
            line,
            [("x", DoubleTensorType([None, diabetes.data.shape[1]]))],
            False,
            diabetes.data.iloc[::50].reset_index(drop=True),
        ),
        "mixed": mixed(),
        "forest_nan": forest(flowers, iris.target),
    }
    write("models.json", {"models": entries})


def mixed():
    """A text, a whole number and a number with a fraction, each an input of its own."""
    rng = np.random.default_rng(SEED)
    rows = pd.DataFrame(
        {
            "region": rng.choice(["north", "south", "west"], 200),
            "visits": rng.integers(0, 20, 200),
            "spent": rng.gamma(2.0, 50.0, 200),
        }
    )
    bought = (rows["spent"] / 100 + rows["visits"] / 10 + (rows["region"] == "west") > 2).astype(int)
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("texts", encoder, ["region"]), ("numbers", StandardScaler(), ["visits", "spent"])])
    model = Pipeline([("columns", columns), ("regression", LogisticRegression())]).fit(rows, bought)
    types = [
        ("region", StringTensorType([None, 1])),
        ("visits", Int64TensorType([None, 1])),
        ("spent", FloatTensorType([None, 1])),
    ]
    return export("mixed", model, types, False, rows.iloc[:12].reset_index(drop=True))


def forest(flowers, target):
    """Learns from rows with missing values, and is asked about such rows."""
    rng = np.random.default_rng(SEED)
    holed = flowers.mask(rng.random(flowers.shape) < 0.3)
    model = RandomForestClassifier(n_estimators=5, max_depth=4, random_state=SEED)
    model.fit(holed.to_numpy(), (target == 2).astype(int))
    kind = [("x", FloatTensorType([None, flowers.shape[1]]))]
    return export("forest_nan", model, kind, False, holed.iloc[50:150:5].reset_index(drop=True))


if __name__ == "__main__":
    flights()
    credit()
    models()
