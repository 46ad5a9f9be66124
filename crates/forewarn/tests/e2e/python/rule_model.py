"""A model in lines of JSON whose score follows from x alone; it raises where x is missing.

Its argument says what it is: the model of the log (`right`), one with another rule (`other`), or one that hangs where
x is missing (`hangs`), takes it for 0 there (`lenient`), knows colours alone (`colours`), writes what is no answer
(`garbage`), or forgets the last row (`few`).
"""

import json
import sys
import time

how = sys.argv[1]
least = 11 if how == "other" else 10


def score(x):
    if x is None:
        if how == "hangs":
            time.sleep(600)
        if how == "lenient":
            return score(0)
        raise ValueError("x must be there")
    return 0.9 if x > least else 0.1


for line in sys.stdin:
    asked = json.loads(line)
    if how == "garbage":
        print("Loading the model ... done", flush=True)
        continue
    if how == "colours":
        print(json.dumps({"scores": [0.4 for _ in asked["rows"]]}), flush=True)
        continue
    at = asked["columns"].index("x")
    try:
        scores = [score(row[at]) for row in asked["rows"]]
        answer = {"scores": scores[:-1] if how == "few" else scores}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
