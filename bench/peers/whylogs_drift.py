"""Profiles and drift scores of every column with whylogs. Usage: python whylogs_drift.py FOLDER"""

import sys

import whylogs
from frames import both
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

reference, current = (whylogs.log(pandas=frame).profile().view() for frame in both(sys.argv[1]))
found = calculate_drift_scores(target_view=current, reference_view=reference, with_thresholds=True)
print(f"{len(found)} columns; n00 {found['n00']}")
