"""A logistic regression on x and amount in lines of JSON; with a number as its argument it ends after so many lines.

It counts them in a file, so that it ends again when it is started again.
"""

import json
import math
import sys
from pathlib import Path

most = int(sys.argv[1]) if len(sys.argv) > 1 else None
counted = Path("asked")

for line in sys.stdin:
    if most is not None:
        asked = int(counted.read_text()) + 1 if counted.exists() else 1
        counted.write_text(str(asked))
        if asked > most:
            sys.exit("the weights are gone")
    asked = json.loads(line)
    x, amount = (asked["columns"].index(name) for name in ("x", "amount"))
    weigh = lambda row: 0.8 * (row[x] - 10) + 0.04 * (row[amount] - 25)
    scores = [1 / (1 + math.exp(-weigh(row))) for row in asked["rows"]]
    print(json.dumps({"scores": scores}), flush=True)
