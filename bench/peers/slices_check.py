"""Recomputes the scores of slices row by row. Usage: python slices_check.py FILE ALPHA < SLICES

Reads a list of slices as JSON and prints their scores as JSON, with NumPy and the paper's formula alone.
"""

import json
import sys

import numpy as np

file, alpha = sys.argv[1], float(sys.argv[2])
data = open(file, "rb").read()
rows, columns = (int(count) for count in np.frombuffer(data, dtype="<u8", count=2))
codes = np.frombuffer(data, dtype=np.uint8, count=rows * columns, offset=16).reshape(columns, rows)
losses = np.frombuffer(data, dtype="<f8", count=rows, offset=16 + rows * columns)
scores = []
for found in json.load(sys.stdin):
    inside = np.logical_and.reduce([codes[column] == code for column, code in found["conditions"]])
    relative = losses[inside].mean() / losses.mean()
    scores.append(alpha * (relative - 1) - (1 - alpha) * (rows / inside.sum() - 1))
print(json.dumps(scores))
