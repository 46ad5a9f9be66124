"""Dataset versions: which content a name had, where it begins, how its columns came about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from .facets import Facet, facet
from .fingerprint import CANONICAL, Fingerprint, fingerprint
from .settings import quietly, settings, timestamp

FILES_LISTED = 1_000
"""Of how many files at most an event has names and digests."""


@dataclass(frozen=True)
class Alias:
    """What another system calls the same content, and how far that name identifies it."""

    system: str
    """dvc, mlflow, delta, iceberg, …"""
    id: str
    strength: str = "weak"
    """``content`` (a digest of all of it), ``snapshot`` (that system guarantees it), or ``weak``."""


@dataclass(frozen=True)
class Dataset:
    """A version of a dataset, as it goes into events. Make one with :func:`dataset`."""

    namespace: str
    name: str
    fingerprint: Optional[Fingerprint] = None
    facets: Mapping[str, Facet] = field(default_factory=dict)

    def __getitem__(self, column: str) -> Column:
        """A column, to say what others are derived from."""
        return Column(self, column)

    @property
    def key(self) -> tuple[str, str, Optional[str]]:
        """What tells this version from others."""
        return self.namespace, self.name, self.fingerprint.digest if self.fingerprint else None


@dataclass(frozen=True)
class Column:
    """A column of a dataset."""

    dataset: Dataset
    name: str

    def reference(self) -> dict[str, Any]:
        """As columnLineage names it."""
        return {"namespace": self.dataset.namespace, "name": self.dataset.name, "field": self.name}


@dataclass(frozen=True)
class Derivation:
    """How a column came about. Make one with :func:`derived`."""

    columns: tuple[Column, ...]
    how: str
    description: Optional[str] = None

    def fields(self) -> list[dict[str, Any]]:
        """The input fields of columnLineage."""
        how: dict[str, Any] = {"type": "DIRECT", "subtype": self.how}
        if self.description:
            how["description"] = self.description
        return [{**column.reference(), "transformations": [how]} for column in self.columns]


Derived = Union[Column, Derivation, Sequence[Column]]


def derived(*columns: Column, by: Optional[str] = None, how: str = "TRANSFORMATION") -> Derivation:
    """A column that is computed from others. ``by`` says in words how; ``how`` is a subtype of
    OpenLineage: IDENTITY, TRANSFORMATION or AGGREGATION."""
    return Derivation(tuple(columns), how, by)


def column_lineage(columns: Mapping[str, Derived], joined_on: Iterable[Column] = ()) -> dict[str, Facet]:
    """The facet columnLineage. A column alone is taken over as it is; several are transformed.
    ``joined_on`` are columns on which all of the output depends."""
    fields = {name: {"inputFields": _derivation(of).fields()} for name, of in columns.items()}
    join = {"type": "INDIRECT", "subtype": "JOIN"}
    whole = [{**column.reference(), "transformations": [join]} for column in joined_on]
    if not fields and not whole:
        return {}
    found = facet("columnLineage", {"dataset": whole})
    found["columnLineage"]["fields"] = fields
    return found


def _derivation(of: Derived) -> Derivation:
    if isinstance(of, Derivation):
        return of
    return derived(of, how="IDENTITY") if isinstance(of, Column) else derived(*of)


@dataclass(frozen=True)
class Described:
    """What is known of a dataset besides its content; the arguments of :func:`dataset`."""

    origin: Optional[str] = None
    """Who or what it comes from, in words: nothing is upstream of it. Needs ``declared_by``."""
    declared_by: Optional[str] = None
    """Who says that nothing is upstream."""
    reason: Optional[str] = None
    """Why that is so."""
    licence: Optional[str] = None
    uri: Optional[str] = None
    """Where it is kept. Credentials do not belong here."""
    version: Optional[str] = None
    """What another system calls this version: a snapshot of Iceberg, a version of Delta."""
    aliases: tuple[Alias, ...] = ()
    begins: Optional[dt.datetime] = None
    """The earliest time that rows are about."""
    ends: Optional[dt.datetime] = None
    """Rows are about times before this."""
    created: Optional[dt.datetime] = None
    received: Optional[dt.datetime] = None
    rows: Optional[int] = None
    """How many rows files have."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns and their types, where the content is files."""


def dataset(name: str, data: Any = None, *, namespace: Optional[str] = None, **described: Any) -> Dataset:
    """Registers the version of a dataset that ``data`` has: a path of a file or a folder, or a table.

    Without ``data`` the dataset is named only. Further arguments are those of :class:`Described`.
    Nothing is sent until a run reads or writes it. A content that has no fingerprint (see
    :mod:`.fingerprint`) is told as a warning, and the dataset is then one whose content is not known.
    """
    space = namespace or settings().namespace
    content: Optional[Fingerprint] = None
    facets: dict[str, Facet] = {}
    with quietly(f"describe the dataset {name}"):
        told = Described(**described)
        if data is not None:
            with quietly(f"fingerprint the dataset {name}"):
                content = fingerprint(data)
        facets = _facets(name, content, told)
    return Dataset(space, name, content, facets)


def _facets(name: str, content: Optional[Fingerprint], told: Described) -> dict[str, Facet]:
    found: dict[str, Facet] = {}
    if content is not None:
        found |= facet("forewarn_digest", _digest(content, told))
    columns = {column.name: column.type for column in content.columns} if content else {}
    columns.update(told.columns)
    if columns:
        found |= facet("schema", {"fields": [{"name": name, "type": of} for name, of in columns.items()]})
    if told.version:
        found |= facet("version", {"datasetVersion": told.version})
    if told.uri:
        found |= facet("dataSource", {"name": _place(told.uri), "uri": told.uri})
    if told.origin or told.reason:
        if not told.declared_by:
            raise ValueError(f"say who declares that nothing is upstream of {name}: declared_by=…")
        declared = {"upstream": "none", "source": told.origin, "reason": told.reason}
        found |= facet("forewarn_origin", {**declared, "declared_by": told.declared_by})
    return found


def _place(uri: str) -> str:
    """The scheme and the host of a URI, by which OpenLineage names a source."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.scheme or uri


def _digest(content: Fingerprint, told: Described) -> dict[str, Any]:
    # Thousands of names would make an event of megabytes; the digest says as much.
    listed = content.files if len(content.files) <= FILES_LISTED else ()
    times = {"from": told.begins, "until": told.ends, "created": told.created, "received": told.received}
    return {
        "digest": content.digest,
        "of": content.of,
        "canonical": CANONICAL if content.of == "rows" else None,
        "rows": told.rows if content.rows is None else content.rows,
        "bytes": content.bytes,
        "files": [{"name": file.name, "bytes": file.bytes, "digest": file.digest} for file in listed],
        **{name: timestamp(time) for name, time in times.items() if time is not None},
        "licence": told.licence,
        "aliases": [{"system": of.system, "id": of.id, "strength": of.strength} for of in told.aliases],
    }
