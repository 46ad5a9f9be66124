"""Which content a file, a folder or a table has: SHA-256 of a writing that is the same everywhere.

Files are digested as Forewarn digests the files of a log. Tables in memory are digested by value,
so that a table is the same one in pandas, polars, Arrow and plain Python. What counts as the same
is decided here and nowhere else (:data:`CANONICAL` names the rules; README.md tells them in full):

- Columns are sorted by name; rows stay in their order; an index of pandas is no column.
- A number is a 64-bit float, whatever type held it: ``1``, ``1.0`` and a float32 of 1 are one value.
  A column of whole numbers beyond ±2⁵³ is written as whole numbers instead.
- ``-0.0`` is ``0``. NaN, NaT, ``None`` and null are all *missing*: pandas cannot tell them apart.
- A timestamp with a zone is its instant, whatever the zone; one without is of another type.
- Categories and dictionaries are the values that they stand for.

None of the libraries is imported unless a table of theirs is given.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

from .canonical import sha256_of_json
from .tables import columns_of
from .values import Column, encode

CANONICAL = "forewarn-rows-1"
"""The name of the rules by which a table is written before it is digested."""

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class File:
    """A file as it was when it was digested."""

    name: str
    bytes: int
    digest: str


@dataclass(frozen=True)
class Fingerprint:
    """The identity of a content, and what was learnt while it was read."""

    digest: str
    of: str
    """``files`` or ``rows``."""
    rows: Optional[int] = None
    bytes: Optional[int] = None
    files: tuple[File, ...] = ()
    columns: tuple[Column, ...] = ()


def fingerprint(data: Any) -> Fingerprint:
    """The fingerprint of a path (text is not a table), or else of a table."""
    if isinstance(data, (str, os.PathLike)):
        return of_files(data)
    return of_rows(data)


def of_files(path: PathLike) -> Fingerprint:
    """A file; or of a folder every file below it, but names that begin with ``.`` or ``_``."""
    root = Path(path)
    if root.is_dir():
        found = sorted(_below(root), key=lambda file: file.as_posix())
        if not found:
            raise ValueError(f"the folder {root} has no file to digest")
    elif root.exists():
        found = [root]
    else:
        raise ValueError(f"there is no file and no folder {root}")
    files = tuple(_file(at) for at in found)
    lines = "".join(f"{file.name}\n{file.bytes}\n{file.digest}\n" for file in files)
    digest = hashlib.sha256(lines.encode("utf-8")).hexdigest()
    return Fingerprint(digest, "files", bytes=sum(file.bytes for file in files), files=files)


def of_rows(table: Any) -> Fingerprint:
    """A table of pandas, polars or Arrow, a list of mappings, or a mapping of columns.

    Raises ``ValueError`` for a table whose values have no place in the rules.
    """
    rows, columns = columns_of(table)
    written = []
    for name in sorted(columns):
        try:
            written.append(encode(name, columns[name], rows))
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"column `{name}`: {error}") from error
    whole = {
        "format": 1,
        "rows": rows,
        "columns": [{"name": one.name, "type": one.type, "digest": one.digest} for one in written],
    }
    return Fingerprint(sha256_of_json(whole), "rows", rows=rows, columns=tuple(written))


def state_digest(state: Any) -> str:
    """SHA-256 of what a step was fitted to: bytes, a table, an array, or anything that JSON can say.

    Arrays and series count as columns of a table. Objects of other kinds are refused, because the
    bytes that Python pickles differ from version to version: give what was fitted, not the object.
    """
    if isinstance(state, (bytes, bytearray, memoryview)):
        return hashlib.sha256(bytes(state)).hexdigest()
    if hasattr(state, "columns") or hasattr(state, "column_names"):
        return of_rows(state).digest
    listed = getattr(state, "to_list", None) or getattr(state, "tolist", None)
    if callable(listed):
        state = listed()
    return sha256_of_json(_plain(state))


def _plain(value: Any) -> Any:
    """Numbers that JSON has no word for as text, arrays within as lists."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, Mapping):
        return {name if isinstance(name, str) else str(name): _plain(item) for name, item in value.items()}
    listed = getattr(value, "tolist", None)
    if callable(listed):
        return _plain(listed())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _below(folder: Path) -> Iterable[Path]:
    for at in folder.iterdir():
        if at.name.startswith((".", "_")):
            continue
        if at.is_dir():
            yield from _below(at)
        elif at.is_file():
            yield at


def _file(path: Path) -> File:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as content:
        while part := content.read(1 << 20):
            digest.update(part)
            size += len(part)
    return File(path.name, size, digest.hexdigest())
