"""A log of `cargo xtask generate-log` as two pandas tables: its reference, and what came after it."""

import pandas as pd

SPLIT = pd.Timestamp("2025-03-12", tz="UTC")


def both(folder):
    """Each half is read by itself, so that no copy of all rows is in memory beside them."""
    halves = []
    for within in ("<", ">="):
        half = pd.read_parquet(f"{folder}/data", filters=[("t", within, SPLIT)])
        halves.append(half.drop(columns=["score", "t"]))
        reached(f"{len(halves)} of 2 halves read")
    return halves


def reached(what):
    """Tells bench/peers.py how far this program is, should it be stopped."""
    print(f"reached: {what}", flush=True)
