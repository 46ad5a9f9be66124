"""A log of `cargo xtask generate-log` as two pandas tables: its reference, and what came after it."""

import pandas as pd

SPLIT = pd.Timestamp("2025-03-12", tz="UTC")


def both(folder):
    log = pd.read_parquet(f"{folder}/data").drop(columns="score")
    late = log["t"] >= SPLIT
    del log["t"]
    return log[~late], log[late]
