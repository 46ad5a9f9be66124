"""Profiles and drift scores of every column with whylogs. Usage: python whylogs_drift.py FOLDER"""

import sys

import whylogs
from frames import both, reached
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

views = []
for frame in both(sys.argv[1]):
    views.append(whylogs.log(pandas=frame).profile().view())
    reached(f"{len(views)} of 2 profiles")
reference, current = views
found = calculate_drift_scores(target_view=current, reference_view=reference, with_thresholds=True)
print(f"{len(found)} columns; n00 {found['n00']}")
