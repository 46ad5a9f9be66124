"""Where the rows of a system's log belong: to a server, or to the folder that its definition names."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

PathLike = Union[str, "os.PathLike[str]"]

KINDS = ("predictions", "outcomes")


@dataclass(frozen=True)
class Target:
    """What is known of one of the two tables of a system's log."""

    kind: str
    system: Optional[str] = None
    folder: Optional[Path] = None
    id: Optional[str] = None
    time: Optional[str] = None

    @property
    def needed(self) -> "tuple[str, ...]":
        """The columns without which a row is none."""
        return tuple(name for name in (self.id, self.time) if name)


def read_definition(path: PathLike, kind: str) -> Target:
    """What ``forewarn.toml`` (or the folder that has it) says of the table."""
    file = Path(path)
    file = file / "forewarn.toml" if file.is_dir() else file
    told = _toml(file)
    log = _table(told, "log", file)
    outcome = log.get("outcome") if isinstance(log.get("outcome"), Mapping) else {}
    of: Mapping[str, Any] = log if kind == "predictions" else (outcome or {})
    place = of.get("path")
    folder = file.parent / str(place).replace("/*.parquet", "") if place and "://" not in str(place) else None
    if folder is not None and folder.suffix in (".csv", ".parquet", ".pq"):
        raise ValueError(f"{file}: the log is the single file {place}, to which no rows are added; name a folder")
    system = told.get("system", {}).get("id") if isinstance(told.get("system"), Mapping) else None
    return Target(kind, system, folder, of.get("id") or log.get("id"), of.get("time"))


def _table(told: Mapping[str, Any], name: str, file: Path) -> Mapping[str, Any]:
    found = told.get(name)
    if not isinstance(found, Mapping):
        raise ValueError(f"{file} has no table [{name}]")
    return found


def _toml(file: Path) -> Mapping[str, Any]:
    for library in ("tomllib", "tomli"):
        try:
            read = importlib.import_module(library)
        except ImportError:
            continue
        found: Mapping[str, Any] = read.loads(file.read_text(encoding="utf-8"))
        return found
    raise ValueError("a definition is read by Python 3.11 and newer, or with `pip install tomli`; or give folder=…")
