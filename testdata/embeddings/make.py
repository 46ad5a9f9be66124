"""Writes small logs with a column of embeddings, as Parquet, for the end-to-end tests.

`reference.parquet` has four weeks; each of the others a week after them: `quiet` of the same kind, `moved`
with another mean, `ragged` with vectors that are null, too short, empty, or hold a null, NaN or infinity.
`fixed.parquet` has five quiet weeks in fixed-size lists of 64-bit floats. Last run with pyarrow 26.0.1 and
NumPy 2.4.6 on Python 3.11.
"""

import datetime
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = pathlib.Path(__file__).parent
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
ROWS_A_DAY = 48
DIMENSIONS = 8


def table(rng, first_day, days, vectors, kind):
    rows = days * ROWS_A_DAY
    times = [START + datetime.timedelta(days=first_day, minutes=30 * row) for row in range(rows)]
    scores = np.round(rng.uniform(0.05, 0.95, rows), 4)
    return pa.table(
        {
            "id": [f"d{first_day}r{row}" for row in range(rows)],
            "at": pa.array(times, pa.timestamp("us", "UTC")),
            "amount": np.round(rng.normal(10, 2, rows), 3),
            "meaning": pa.array(vectors, kind),
            "score": scores,
            "label": (rng.uniform(size=rows) < scores).astype(np.int8),
        }
    )


def vectors(rng, days, mean=0.0, dimensions=DIMENSIONS):
    return [list(row) for row in np.round(rng.normal(1.0 + mean, 1.0, (days * ROWS_A_DAY, dimensions)), 3)]


def ragged(rng):
    rows = vectors(rng, 7)
    for at in range(0, len(rows), 8):
        rows[at] = None
    for at in range(1, len(rows), 24):
        rows[at] = [1.0, 2.0]
    for at, bad in [(2, []), (3, [None] * 8), (4, [float("nan")] * 8), (5, [float("inf")] + [0.0] * 7)]:
        rows[at] = bad
    return rows


def write(name, of):
    pq.write_table(of, FOLDER / f"{name}.parquet", compression="zstd")


def main():
    rng = np.random.default_rng(61)
    floats = pa.list_(pa.float32())
    write("reference", table(rng, 0, 28, vectors(rng, 28), floats))
    write("quiet", table(rng, 28, 7, vectors(rng, 7), floats))
    write("moved", table(rng, 28, 7, vectors(rng, 7, mean=2.0), floats))
    write("ragged", table(rng, 28, 7, ragged(rng), floats))
    write("fixed", table(rng, 0, 35, vectors(rng, 35, dimensions=3), pa.list_(pa.float64(), 3)))


if __name__ == "__main__":
    main()
