"""The columns of a table, from whatever library it is.

Every column becomes a sequence of Python values, or one of the two shapes of :mod:`.values` that
spare making an object of every number. Which library a table is from is told by the module of its
class, so nothing is imported that is not in use already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .values import EXACT_FLOAT, Floats, Ticks

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
NOT_A_TIME = -(2**63)

Columns = dict[str, Any]


def columns_of(table: Any) -> tuple[int, Columns]:
    """The number of rows, and the columns by name.

    Raises ``ValueError`` for what is no table, and for names that occur twice.
    """
    library, kind = library_of(table), type(table).__name__
    if kind == "LazyFrame":
        raise ValueError("a LazyFrame has no rows yet; give `frame.collect()`")
    for name, kinds, read in _LIBRARIES:
        if library == name and kind in kinds:
            return read(table)
    if isinstance(table, Mapping):
        return _mapping(table)
    if isinstance(table, Sequence) and not isinstance(table, (str, bytes)):
        return _rows(table)
    raise ValueError(
        f"a {type(table).__module__}.{kind} is no table; give a frame of pandas, polars or Arrow, "
        "a list of mappings, or a mapping of columns"
    )


def library_of(table: Any) -> str:
    """The top package of the table's class."""
    return type(table).__module__.partition(".")[0]


def records_of(table: Any) -> list[Any]:
    """The table as rows of Python values; what a list holds besides mappings is left in its place."""
    library = library_of(table)
    if library == "pandas":
        lists = {str(name): table.iloc[:, at].astype(object).tolist() for at, name in enumerate(table.columns)}
        return [dict(zip(lists, row)) for row in zip(*lists.values())]
    if library == "polars":
        return list(table.to_dicts())
    if library == "pyarrow":
        return list(table.to_pylist())
    if isinstance(table, Mapping):
        # One row, or columns: a row has no lists as long as each other, unless it is one of vectors.
        if any(isinstance(value, (list, tuple)) for value in table.values()):
            rows, columns = _mapping(table)
            return [{name: column[at] for name, column in columns.items()} for at in range(rows)]
        return [dict(table)]
    return list(table)


def _unique(pairs: "list[tuple[str, Any]]") -> Columns:
    columns = dict(pairs)
    if len(columns) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"more than one column is named {', '.join(twice)}")
    return columns


def _mapping(table: Mapping[Any, Any]) -> tuple[int, Columns]:
    columns = _unique([(str(name), _plain(list(column))) for name, column in table.items()])
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"its columns have {', '.join(map(str, sorted(lengths)))} rows; they need the same number")
    return (lengths.pop() if lengths else 0), columns


def _rows(table: Sequence[Any]) -> tuple[int, Columns]:
    names: dict[str, None] = {}
    for row in table:
        if not isinstance(row, Mapping):
            raise ValueError(f"a row is a {type(row).__name__}; give mappings from column to value")
        names.update(dict.fromkeys(row))
    return len(table), {name: _plain([row.get(name) for row in table]) for name in names}


def _plain(values: list[Any]) -> list[Any]:
    """Scalars and arrays of numpy as Python's own values."""
    if not any(of.__module__ == "numpy" for of in set(map(type, values))):
        return values
    return [value.tolist() if type(value).__module__ == "numpy" else value for value in values]


# pandas


def _pandas(frame: Any) -> tuple[int, Columns]:
    pairs = [(str(name), _pandas_column(frame.iloc[:, at])) for at, name in enumerate(frame.columns)]
    return len(frame), _unique(pairs)


def _pandas_column(series: Any) -> Any:
    dtype, kind = series.dtype, getattr(series.dtype, "kind", "O")
    of = type(dtype).__name__
    if of == "ArrowDtype":
        return _arrow_column(series.array.__arrow_array__())
    if of == "CategoricalDtype":
        return _plain(series.astype(object).tolist())
    if of == "SparseDtype":
        return _pandas_column(series.sparse.to_dense())
    if of == "DatetimeTZDtype":
        utc = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return _numpy_ticks("instant", utc.to_numpy())
    if kind == "M":
        return _numpy_ticks("local", series.to_numpy())
    if kind == "m":
        return _numpy_ticks("duration", series.to_numpy())
    if kind in "iu" and _within(series.min(), series.max()):
        return Floats(series.to_numpy(dtype="float64", na_value=float("nan")))
    if kind == "f":
        return Floats(series.to_numpy(dtype="float64", na_value=float("nan")))
    return _plain(series.astype(object).tolist())


def _within(lowest: Any, highest: Any) -> bool:
    """Whether floats hold whole numbers of this range; one that is not known has no number in it."""
    missing = lowest is None or type(lowest).__name__ == "NAType" or lowest != lowest
    return missing or (-EXACT_FLOAT <= int(lowest) and int(highest) <= EXACT_FLOAT)


def _numpy_ticks(kind: str, values: Any) -> Ticks:
    unit = str(values.dtype).partition("[")[2].rstrip("]")
    ticks = values.astype("int64").tolist()
    return Ticks(kind, PER_SECOND[unit], [None if tick == NOT_A_TIME else tick for tick in ticks])


# Arrow


def _arrow(table: Any) -> tuple[int, Columns]:
    names = table.schema.names
    return table.num_rows, _unique([(name, _arrow_column(table.column(at))) for at, name in enumerate(names)])


def _arrow_column(column: Any) -> Any:
    import pyarrow as pa

    of = column.type
    if pa.types.is_dictionary(of):
        return _arrow_column(column.cast(of.value_type))
    if pa.types.is_timestamp(of):
        return Ticks("instant" if of.tz else "local", PER_SECOND[of.unit], column.cast(pa.int64()).to_pylist())
    if pa.types.is_duration(of):
        return Ticks("duration", PER_SECOND[of.unit], column.cast(pa.int64()).to_pylist())
    if pa.types.is_time(of):
        held = pa.int32() if of.bit_width == 32 else pa.int64()
        return Ticks("time", PER_SECOND[of.unit], column.cast(held).to_pylist())
    if pa.types.is_floating(of) or pa.types.is_integer(of):
        return _arrow_numbers(column)
    return column.to_pylist()


def _arrow_numbers(column: Any) -> Any:
    import pyarrow as pa

    try:
        import numpy as np

        # A cast that loses nothing: it refuses whole numbers that floats do not hold.
        return Floats(np.asarray(column.cast(pa.float64()), dtype="float64"))
    except (ImportError, pa.ArrowInvalid):
        return column.to_pylist()


# polars


def _polars(frame: Any) -> tuple[int, Columns]:
    return frame.height, {series.name: _polars_column(series) for series in frame.get_columns()}


def _polars_column(series: Any) -> Any:
    import polars as pl

    dtype = series.dtype
    of = type(dtype).__name__ if not isinstance(dtype, type) else dtype.__name__
    if of == "Datetime":
        kind = "instant" if dtype.time_zone else "local"
        return Ticks(kind, PER_SECOND[dtype.time_unit or "us"], series.to_physical().to_list())
    if of == "Duration":
        return Ticks("duration", PER_SECOND[dtype.time_unit or "us"], series.to_physical().to_list())
    if of == "Time":
        return Ticks("time", PER_SECOND["ns"], series.to_physical().to_list())
    if of in ("Categorical", "Enum"):
        return series.cast(pl.String).to_list()
    if dtype.is_float() or (dtype.is_integer() and _within(series.min(), series.max())):
        try:
            return Floats(series.cast(pl.Float64).to_numpy())
        except ImportError:
            return series.to_list()
    return _plain(series.to_list())


_LIBRARIES: tuple[tuple[str, tuple[str, ...], Callable[[Any], tuple[int, Columns]]], ...] = (
    ("pandas", ("DataFrame",), _pandas),
    ("pyarrow", ("Table", "RecordBatch"), _arrow),
    ("polars", ("DataFrame",), _polars),
)
