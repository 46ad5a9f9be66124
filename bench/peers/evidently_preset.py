"""Drift of every column with Evidently's preset. Usage: python evidently_preset.py FOLDER"""

import sys

from evidently import Report
from evidently.presets import DataDriftPreset
from frames import both

reference, current = both(sys.argv[1])
found = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
print(f"{len(found)} metrics; {found[0]['value']}")
