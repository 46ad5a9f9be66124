"""The yardstick of docs/benchmarks.md: count and sum every column of a Parquet log with DuckDB.

Usage: python duckdb_scan.py FOLDER   (needs: pip install duckdb==2.0.0 pytz)

Numbers are summed as they are, texts by their length in bytes, instants by their microseconds, so
that every value of every column is read once. Nothing else is computed.
"""

import sys

import duckdb


def summed(column: str, type_name: str) -> str:
    """The SQL expression that reads every value of a column."""
    quoted = '"' + column.replace('"', '""') + '"'
    if type_name == "VARCHAR":
        return f"sum(strlen({quoted}))"
    if type_name.startswith("TIMESTAMP"):
        return f"sum(epoch_us({quoted}))"
    return f"sum({quoted})"


def main() -> None:
    log = f"read_parquet('{sys.argv[1]}/data/*.parquet')"
    connection = duckdb.connect()
    columns = [row[:2] for row in connection.execute(f"DESCRIBE SELECT * FROM {log}").fetchall()]
    expressions = [f"count({name!r}), {summed(name, kind)}".replace("'", '"') for name, kind in columns]
    row = connection.execute(f"SELECT {', '.join(expressions)} FROM {log}").fetchone()
    print(f"{len(columns)} columns, {row[0]} rows")


if __name__ == "__main__":
    main()
