"""Where events go, and what happens when something of ours fails.

The environment says it: ``FOREWARN_URL`` (or ``FOREWARN_SERVER``, as the program has it), ``FOREWARN_TOKEN``,
``FOREWARN_DIR``, ``FOREWARN_SPOOL``, ``FOREWARN_NAMESPACE``, ``FOREWARN_STRICT``, ``FOREWARN_DISABLED``; and
:func:`configure` says it over.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

LOG = logging.getLogger("forewarn")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


@dataclass(frozen=True)
class Settings:
    """What a process was told."""

    url: Optional[str] = None
    """The server, such as ``https://forewarn.example.org``; without one, files are written."""
    token: Optional[str] = None
    folder: Path = Path(".forewarn/lineage")
    """Where events are kept without a server, and where those are that a server did not take."""
    spool: Path = Path(".forewarn/spool")
    """Where rows of predictions and outcomes wait that could not be delivered."""
    namespace: str = "default"
    strict: bool = False
    """Whether a failure of tracing is raised. Otherwise it is logged, once."""
    disabled: bool = False
    clock: Callable[[], dt.datetime] = _now


_configured: dict[str, Any] = {}
_told: set[tuple[str, str]] = set()
_lock = threading.Lock()


def configure(**given: Any) -> None:
    """Says settings over, by the names of :class:`Settings`; ``None`` takes one back."""
    unknown = set(given) - set(Settings.__dataclass_fields__)
    if unknown:
        known = ", ".join(Settings.__dataclass_fields__)
        raise TypeError(f"there is no setting {', '.join(sorted(unknown))} (there are: {known})")
    for name in ("folder", "spool"):
        if given.get(name) is not None:
            given[name] = Path(given[name])
    with _lock:
        _configured.update(given)


def settings() -> Settings:
    """The settings as they are now."""
    found = Settings(
        url=os.environ.get("FOREWARN_URL") or os.environ.get("FOREWARN_SERVER") or None,
        token=os.environ.get("FOREWARN_TOKEN") or None,
        folder=Path(os.environ.get("FOREWARN_DIR") or ".forewarn/lineage"),
        spool=Path(os.environ.get("FOREWARN_SPOOL") or ".forewarn/spool"),
        namespace=os.environ.get("FOREWARN_NAMESPACE") or "default",
        strict=_is_yes("FOREWARN_STRICT"),
        disabled=_is_yes("FOREWARN_DISABLED"),
    )
    with _lock:
        return replace(found, **{name: value for name, value in _configured.items() if value is not None})


def _is_yes(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("1", "true", "yes", "on")


@contextmanager
def quietly(what: str) -> Iterator[None]:
    """Keeps a failure of ours from the caller, unless the settings are strict.

    ``what`` completes "could not …". The same failure is told once in a process.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 (whatever it is, the pipeline goes on)
        if settings().strict:
            raise
        warn_once(f"could not {what}", error)


def warn_once(what: str, error: object) -> None:
    """A warning in the log ``forewarn``, the first time that it is given."""
    key = (what, str(error))
    with _lock:
        if key in _told:
            return
        _told.add(key)
    LOG.warning("%s: %s", what, error)


def timestamp(time: dt.datetime) -> str:
    """RFC 3339 in UTC; a time without a zone is refused, because nobody can know which it means."""
    if time.tzinfo is None:
        raise ValueError(f"the time {time.isoformat()} has no zone; give one, such as datetime.timezone.utc")
    utc = time.astimezone(dt.timezone.utc)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond:06d}Z"
