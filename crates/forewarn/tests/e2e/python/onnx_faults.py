"""What a model in ONNX loses in accuracy by faults of its inputs, computed by ONNX Runtime and NumPy alone.

    onnx_faults.py MODEL PREDICTIONS OUTCOMES FROM TO

One JSON object: how many flights of the window have an outcome, and for each column by how much the share of right
answers falls where all of its values are missing, and where each of its texts is one that was never seen.
"""

import json
import sys
from datetime import datetime, timezone

import numpy as np
import onnxruntime
import pyarrow.compute as pc
import pyarrow.parquet as pq

model, predictions, outcomes, since, until = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
names = {of.name: of.type for of in session.get_inputs()}

log = pq.read_table(predictions)
begin, end = (datetime.fromisoformat(day).replace(tzinfo=timezone.utc) for day in (since, until))
departs = log["scheduled_departure"]
log = log.filter(pc.and_(pc.greater_equal(departs, begin), pc.less(departs, end)))
log = log.join(pq.read_table(outcomes).select(["flight_id", "delayed"]), "flight_id", join_type="inner")
truth = log["delayed"].to_numpy().astype(bool)


def inputs(changed=None, value=None):
    made = {}
    for name, kind in names.items():
        column = [value] * log.num_rows if name == changed else log[name].to_pylist()
        if kind == "tensor(string)":
            column = np.array(["" if cell is None else cell for cell in column], dtype=object)
        else:
            column = np.array([np.nan if cell is None else cell for cell in column], dtype=np.float32)
        made[name] = column.reshape(-1, 1)
    return made


def accuracy(**changed):
    scores = session.run(["probabilities"], inputs(**changed))[0][:, 1]
    return float(np.mean((scores >= 0.5) == truth))


clean = accuracy()
texts = [name for name, kind in names.items() if kind == "tensor(string)"]
print(
    json.dumps(
        {
            "rows": log.num_rows,
            "accuracy": clean,
            "missing": {name: clean - accuracy(changed=name) for name in names},
            "unseen-category": {
                name: clean - accuracy(changed=name, value="a word that nobody knows") for name in texts
            },
        }
    )
)
