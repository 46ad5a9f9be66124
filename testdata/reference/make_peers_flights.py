"""Writes `peers_flights.json`: what Evidently and NannyML say of one week of examples/flights.

    python -m venv venv && venv/bin/pip install -r requirements-peers.txt
    venv/bin/python make_peers_flights.py

The end-to-end test `crates/forewarn/tests/e2e/drift_method.rs` holds `forewarn check` with
`monitor.drift.method` against it. NannyML cuts the reference into its own calendar weeks
(`chunk_period="W"`), the first and the last of which are not whole. Floats are widened to float64
first, as the program does, and rows without a value are left out.
"""

import json

import pandas as pd
from make_flights import REFERENCE, WINDOW, table, within
from make_peers import FOLDER, TOOLS, evidently, number, version
from nannyml import UnivariateDriftCalculator

COLUMNS = {"numeric": ["temp", "pressure", "distance", "day_of_week"], "categorical": ["origin", "carrier", "dest"]}
EVIDENTLY = {"numeric": ["psi", "jensenshannon", "wasserstein", "ks"], "categorical": ["psi", "jensenshannon", "chisquare"]}
NANNYML = {
    "numeric": ["jensen_shannon", "wasserstein", "hellinger", "kolmogorov_smirnov"],
    "categorical": ["jensen_shannon", "hellinger", "l_infinity", "chi2"],
}


def by_week(kind, method, reference, current):
    methods = {"continuous_methods" if kind == "numeric" else "categorical_methods": [method]}
    calculator = UnivariateDriftCalculator(
        column_names=["x"], timestamp_column_name="at", chunk_period="W", **methods
    )
    calculator.fit(reference)
    found = calculator.calculate(current).filter(period="analysis").to_df()["x"][method]
    assert len(found) == 1
    return {
        "value": number(found["value"][0]),
        "threshold": number(found["upper_threshold"][0]),
        "drifted": bool(found["alert"][0]),
    }


def column(rows, name, kind):
    rows = pd.DataFrame({"x": rows[name], "at": rows["scheduled_departure"].dt.tz_localize(None)}).dropna()
    return rows.astype({"x": "float64"}) if kind == "numeric" else rows


if __name__ == "__main__":
    log = table("predictions")
    cases = []
    for kind, names in COLUMNS.items():
        for name in names:
            reference, current = (column(within(log, window), name, kind) for window in (REFERENCE, WINDOW))
            said = evidently(kind, reference["x"].to_numpy(), current["x"].to_numpy())
            for method in EVIDENTLY[kind]:
                cases.append({"method": f"evidently-0.7:{method}", "column": name, **said[method]})
            for method in NANNYML[kind]:
                found = by_week(kind, method, reference, current)
                cases.append({"method": f"nannyml-0.13:{method}", "column": name, **found})
    lines = ",\n".join(json.dumps(case, allow_nan=False) for case in cases)
    tools = json.dumps({tool: version(tool) for tool in TOOLS})
    (FOLDER / "peers_flights.json").write_text(f'{{"tools": {tools},\n"cases": [\n{lines}\n]}}\n')
