"""Writes a table of codes with planted slices. Usage: python slices_table.py FILE ROWS COLUMNS wrong|squared

The file: rows and columns as two little-endian 64-bit numbers, the codes as bytes, column by column, the
losses as 64-bit floats. Columns have 8 to 10 codes of uneven frequency. Rows are wrong with probability 0.02,
and with 0.5, 0.7 and 0.9 in three slices of one, two and three conditions; squared errors are those of a
normal variable, with the same means.
"""

import sys

import numpy as np


def main():
    file, rows, columns, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    rng = np.random.default_rng(20130503)
    codes = np.empty((columns, rows), dtype=np.uint8)
    for column in range(columns):
        weights = rng.dirichlet(np.full(8 + column % 3, 4.0))
        codes[column] = rng.choice(len(weights), size=rows, p=weights)
    probability = np.full(rows, 0.02)
    slices = [([(3, 2)], 0.5), ([(5, 1), (11, 4)], 0.7), ([(7, 0), (13, 3), (2, 5)], 0.9)]
    for conditions, share in slices:
        inside = np.logical_and.reduce([codes[column] == code for column, code in conditions])
        probability[inside] = share
    if kind == "wrong":
        losses = (rng.random(rows) < probability).astype(float)
    else:
        losses = probability * rng.standard_normal(rows) ** 2
    with open(file, "wb") as out:
        out.write(np.array([rows, columns], dtype="<u8").tobytes())
        out.write(codes.tobytes())
        out.write(losses.astype("<f8").tobytes())


if __name__ == "__main__":
    main()
