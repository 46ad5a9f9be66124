"""The best slices with sliceline. Usage: python slices_sliceline.py FILE K ALPHA ROWS_MIN LEVEL_MAX MEMORY_MAX"""

import json
import resource
import sys
import time

import numpy as np
from sliceline.slicefinder import Slicefinder

file, k, alpha, rows_min, level_max, memory_max = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_AS, (int(memory_max), int(memory_max)))
data = open(file, "rb").read()
rows, columns = (int(count) for count in np.frombuffer(data, dtype="<u8", count=2))
codes = np.frombuffer(data, dtype=np.uint8, count=rows * columns, offset=16).reshape(columns, rows).T
losses = np.frombuffer(data, dtype="<f8", count=rows, offset=16 + rows * columns)
finder = Slicefinder(alpha=float(alpha), k=int(k), max_l=int(level_max), min_sup=int(rows_min), verbose=False)
wall, cpu = time.perf_counter(), time.process_time()
finder.fit(codes, losses)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
slices = [
    {
        "conditions": [[column, int(code)] for column, code in enumerate(found) if code is not None],
        "score": of["slice_score"],
        "rows": of["slice_size"],
    }
    for found, of in zip(finder.top_slices_, finder.top_slices_statistics_)
]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"wall": wall, "cpu": cpu, "peak_mib": peak, "slices": slices}))
