"""A hand-written population stability index of every column with Polars, as a team would write it.

Usage: python psi_polars.py FOLDER   (a log of `cargo xtask generate-log`)

Numbers are counted between the deciles of the reference, texts by value. Half a row is added to empty
bins. Nothing else is computed.
"""

import sys
from datetime import datetime, timezone

import polars as pl

SPLIT = datetime(2025, 3, 12, tzinfo=timezone.utc)
DECILES = [tenth / 10 for tenth in range(1, 10)]


def psi(counts):
    """The index of a table of bins with the columns `reference` and `current`."""
    p = pl.max_horizontal(pl.col("reference").fill_null(0), 0.5) / pl.col("reference").sum()
    q = pl.max_horizontal(pl.col("current").fill_null(0), 0.5) / pl.col("current").sum()
    return counts.select(((p - q) * (p / q).log()).sum()).item()


def counted(values, name):
    return values.drop_nulls().value_counts(name=name)


def main():
    log = pl.scan_parquet(f"{sys.argv[1]}/data/*.parquet")
    reference = log.filter(pl.col("t") < SPLIT).drop("t").collect()
    current = log.filter(pl.col("t") >= SPLIT).drop("t").collect()
    found = {}
    for name, kind in reference.schema.items():
        before, now = reference[name], current[name]
        if kind == pl.Float64:
            edges = sorted({before.quantile(share) for share in DECILES})
            before, now = (values.drop_nulls().cut(edges).to_physical() for values in (before, now))
        counts = counted(before, "reference").join(counted(now, "current"), on=name, how="full", coalesce=True)
        found[name] = psi(counts)
    print(f"{len(found)} columns; n00 {found['n00']:.4f}, c0 {found['c0']:.4f}, n02 {found['n02']:.6f}")


if __name__ == "__main__":
    main()
