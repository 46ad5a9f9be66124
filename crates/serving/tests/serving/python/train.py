"""Trains a pipeline, pickles it into the folder that is given, and prints what it says of three rows."""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

rng = np.random.default_rng(6)
rows = pd.DataFrame(
    {
        "region": rng.choice(["north", "south", "west"], 300),
        "visits": rng.integers(0, 20, 300),
        "spent": rng.gamma(2.0, 50.0, 300),
    }
)
bought = (rows["spent"] / 100 + rows["visits"] / 10 + rng.normal(0, 0.3, 300) > 2).astype(int)
columns = ColumnTransformer(
    [
        ("texts", OneHotEncoder(handle_unknown="ignore"), ["region"]),
        ("numbers", SimpleImputer(), ["visits", "spent"]),
    ]
)
model = make_pipeline(columns, LogisticRegression(max_iter=2000)).fit(rows, bought)
(Path(sys.argv[1]) / "model.pkl").write_bytes(pickle.dumps(model))
asked = pd.DataFrame(
    {
        "region": ["north", "south", "east"],
        "visits": [1.0, 12.0, np.nan],
        "spent": [10.5, np.nan, np.nan],
    }
)
print(json.dumps(model.predict_proba(asked)[:, 1].tolist()))
