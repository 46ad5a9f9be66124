"""Rows of a log as JSON says them, and as a file that Forewarn reads.

A file is Parquet where pyarrow is installed, and CSV otherwise, unless the folder has files of one
of the two already.
"""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .settings import timestamp
from .values import missing

Row = dict[str, Any]


def json_row(row: Any) -> Row:
    """The row in the values of JSON; ``ValueError`` names the column that has none."""
    if not isinstance(row, Mapping):
        raise ValueError(f"it is a {type(row).__name__}; a row is a mapping from column to value")
    found = {}
    for name, value in row.items():
        if not isinstance(name, str):
            raise ValueError(f"the column {name!r}: a column's name is text")
        try:
            found[name] = _json(value)
        except (ValueError, TypeError) as error:
            raise ValueError(f"column `{name}`: {error}") from error
    return found


def _json(value: Any) -> Any:
    if missing(value):
        return None
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, dt.datetime):
        return timestamp(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return _finite(float(value))
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    plain = getattr(value, "tolist", None)
    if callable(plain):
        return _json(plain())
    raise ValueError(f"a {type(value).__name__} is no value of a log; give numbers, text, times or lists of numbers")


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    return float(value)


def lines_of(rows: Sequence[Row]) -> str:
    """The rows as NDJSON."""
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def write_file(folder: Path, name: str, rows: Sequence[Row], times: Sequence[str]) -> Path:
    """Writes a file of these rows that appears under its name when it is whole.

    ``name`` has no ending yet. ``times`` are the columns that hold timestamps.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ending = _ending(folder)
    content = _parquet(folder, rows, times) if ending == ".parquet" else _csv(rows)
    final, part = folder / (name + ending), folder / f".forewarn-{name}.{os.getpid()}.part"
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, final)
    finally:
        part.unlink(missing_ok=True)
    return final


def _ending(folder: Path) -> str:
    there = {path.suffix for path in folder.iterdir() if not path.name.startswith((".", "_"))}
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        if ".parquet" in there:
            raise ValueError(f"{folder} has Parquet files; `pip install pyarrow` to add to them") from None
        return ".csv"
    return ".csv" if ".csv" in there and ".parquet" not in there else ".parquet"


def _csv(rows: Sequence[Row]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[_cell(name, row.get(name)) for name in names] for row in rows])
    return text.getvalue().encode("utf-8")


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, list):
        raise ValueError(f"column `{name}` has lists, which CSV cannot hold; `pip install pyarrow` for Parquet")
    return str(value).lower() if isinstance(value, bool) else value


def _parquet(folder: Path, rows: Sequence[Row], times: Sequence[str]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    read = [{**row, **{name: parse_time(row[name]) for name in times if row.get(name) is not None}} for row in rows]
    names = dict.fromkeys(name for row in rows for name in row)
    known = _known_types(folder)
    columns = {}
    for name in names:
        column = pa.array([row.get(name) for row in read])
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", tz="UTC"))
        if name in known and known[name] != column.type:
            try:
                column = column.cast(known[name])
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                pass  # Forewarn reads whole numbers and decimals of one column as decimals.
        # A column without a value says nothing of its type; left out, it is missing as well.
        if not pa.types.is_null(column.type):
            columns[name] = column
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()


def _known_types(folder: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    files = sorted(path for path in folder.glob("*.parquet") if not path.name.startswith((".", "_")))
    return {field.name: field.type for field in pq.read_schema(files[-1])} if files else {}


def parse_time(value: Any) -> Any:
    """A time as RFC 3339 has it; whole numbers stay."""
    if not isinstance(value, str):
        return value
    time = dt.datetime.fromisoformat(value.replace("Z", "+00:00").replace("z", "+00:00"))
    if time.tzinfo is None:
        raise ValueError(f"the time {value} has no zone; write it as 2026-11-27T10:15:00Z")
    return time.astimezone(dt.timezone.utc)
