"""Predictions and outcomes: to a server, or to files in the folder of the log; nothing is lost between.

What a server or a disk does not take is kept below ``FOREWARN_SPOOL`` (``.forewarn/spool``), from where
:func:`resend` delivers it. A row may be sent any number of times: a server keeps the first of an id and
a day, and a file is named after its rows.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote, unquote

from .emit import append
from .rows import Row, json_row, lines_of, write_file
from .runs import new_run_id
from .server import Answer, Request, post
from .settings import quietly, settings, warn_once
from .tables import records_of
from .target import KINDS, PathLike, Target, read_definition

ROWS_A_REQUEST = 5_000
BYTES_A_REQUEST = 4 * 1024 * 1024
TRIES = 4
WAIT_SECONDS_MAX = 30.0
NO_SYSTEM = "-"


@dataclass(frozen=True)
class Logged:
    """What became of rows."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    """Rows with a mistake; they are kept below the spool, under ``rejected``."""
    spooled: int = 0
    """Rows that wait for :func:`resend`."""
    errors: tuple[str, ...] = ()
    """The first mistakes, and why rows wait."""

    def __add__(self, other: Logged) -> Logged:
        return Logged(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
            self.spooled + other.spooled,
            (self.errors + other.errors)[:100],
        )


def log_predictions(
    rows: Any, *, system: Optional[str] = None, definition: Optional[PathLike] = None, folder: Optional[PathLike] = None
) -> Logged:
    """Logs predictions: a frame of pandas, polars or Arrow, a list of mappings, or one mapping.

    They go to the server that ``FOREWARN_URL`` names, under the id ``system``; without a server into
    ``folder``. ``definition`` (a ``forewarn.toml``) says all of that, and which columns a row needs.
    """
    return _log("predictions", rows, system, definition, folder)


def log_outcomes(
    rows: Any, *, system: Optional[str] = None, definition: Optional[PathLike] = None, folder: Optional[PathLike] = None
) -> Logged:
    """Logs outcomes, as :func:`log_predictions` logs predictions."""
    return _log("outcomes", rows, system, definition, folder)


def resend(
    *, system: Optional[str] = None, definition: Optional[PathLike] = None, folder: Optional[PathLike] = None
) -> Logged:
    """Delivers what waits in the spool. A file of it is deleted once its rows are where they belong.

    With a server, everything goes there under the system that it was logged for; without one, rows of
    ``system`` (or of the definition's) go into the folder, and those of no system.
    """
    done = Logged()
    with quietly("deliver what waits in the spool"):
        for kind in KINDS:
            meant = _target(kind, system, definition, folder)
            for path in sorted((settings().spool / kind).glob("*/*.ndjson")):
                of = None if path.parent.name == NO_SYSTEM else unquote(path.parent.name)
                if of not in (None, meant.system) and (meant.system or not settings().url):
                    continue
                rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
                done += _deliver(replace(meant, system=of or meant.system), rows)
                path.unlink(missing_ok=True)
    return done


def _log(
    kind: str, rows: Any, system: Optional[str], definition: Optional[PathLike], folder: Optional[PathLike]
) -> Logged:
    if settings().disabled:
        return Logged()
    done = Logged(errors=(f"{kind} could not be logged; the log `forewarn` says why",))
    with quietly(f"log {kind}"):
        target = Target(kind, system)
        with quietly(f"find where {kind} belong"):
            target = _target(kind, system, definition, folder)
        good, done = _sorted_out(target, records_of(rows))
        if good:
            done += _deliver(target, good)
    if not done.rejected + done.spooled:
        return done
    if done.errors:
        warn_once(f"{done.rejected + done.spooled} rows of {kind} were not logged", done.errors[0])
    if done.errors and settings().strict:
        raise ValueError(f"{done.rejected + done.spooled} rows of {kind} were not logged: {done.errors[0]}")
    return done


def _target(
    kind: str, system: Optional[str], definition: Optional[PathLike], folder: Optional[PathLike]
) -> Target:
    target = read_definition(definition, kind) if definition is not None else Target(kind)
    target = replace(target, system=system or target.system)
    return replace(target, folder=Path(folder)) if folder is not None else target


def _sorted_out(target: Target, rows: Sequence[Any]) -> tuple[list[Row], Logged]:
    """Rows as JSON says them; those that it cannot say are set aside."""
    good, aside, errors = [], [], []
    for at, row in enumerate(rows):
        try:
            found = json_row(row)
            gone = [name for name in target.needed if found.get(name) is None]
            if gone:
                raise ValueError(f"column `{gone[0]}`: every row needs a value")
            good.append(found)
        except ValueError as error:
            errors.append(f"row {at}: {error}")
            aside.append({"row": row, "message": str(error)})
    _set_aside(target, aside)
    return good, Logged(rejected=len(aside), errors=tuple(errors[:100]))


def _deliver(target: Target, rows: Sequence[Row]) -> Logged:
    if settings().url:
        return _send(target, rows)
    if target.folder is None:
        why = "there is neither a server (FOREWARN_URL) nor a folder (definition=… or folder=…)"
        return _spool(target, rows, why)
    try:
        name = f"rows-{hashlib.sha256(lines_of(rows).encode('utf-8')).hexdigest()[:24]}"
        write_file(target.folder, name, rows, (target.time,) if target.time else ())
        return Logged(accepted=len(rows))
    except (OSError, ValueError) as error:
        return _spool(target, rows, str(error))


def _send(target: Target, rows: Sequence[Row]) -> Logged:
    if target.system is None:
        return _spool(target, rows, "a server needs to know which system they are of: system=…")
    done, gone = Logged(), False
    for batch in _batches(rows):
        if gone:
            # The server did not answer for the batch before: to wait as long again helps nobody.
            done += _spool(target, batch, "")
            continue
        sent, gone = _send_batch(target, batch)
        done += sent
    return done


def _send_batch(target: Target, rows: Sequence[Row]) -> tuple[Logged, bool]:
    """What became of the batch, and whether the server is away."""
    now = settings()
    url = f"{(now.url or '').rstrip('/')}/api/v1/systems/{quote(target.system or '', safe='')}/{target.kind}"
    request = Request(url, now.token, "application/x-ndjson")
    answer = post(request, lines_of(rows).encode("utf-8"), TRIES, WAIT_SECONDS_MAX)
    if answer.status == 413 and len(rows) > 1:
        half = len(rows) // 2
        (first, away), (second, also) = _send_batch(target, rows[:half]), _send_batch(target, rows[half:])
        return first + second, away or also
    if isinstance(answer.body, dict) and "accepted" in answer.body and (answer.ok or answer.status == 422):
        return _taken(target, rows, answer), False
    return _spool(target, rows, answer.why), answer.worth_repeating


def _taken(target: Target, rows: Sequence[Row], answer: Answer) -> Logged:
    told = answer.body.get("errors") or []
    rejected = int(answer.body.get("rejected", 0))
    aside = [{"row": rows[of["row"]], "message": of["message"]} for of in told if of["row"] < len(rows)]
    if rejected > len(aside):
        # Only the first are told: the batch is kept whole, so that none of the others is lost.
        aside = [{"row": row, "message": f"one of {len(rows)} rows of which {rejected} were refused"} for row in rows]
    _set_aside(target, aside)
    return Logged(
        int(answer.body.get("accepted", 0)),
        int(answer.body.get("duplicates", 0)),
        rejected,
        errors=tuple(f"row {of['row']}: column `{of.get('column')}`: {of['message']}" for of in told),
    )


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        length = len(lines_of([row]).encode("utf-8"))
        if batch and (len(batch) == ROWS_A_REQUEST or size + length > BYTES_A_REQUEST):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


def _spool(target: Target, rows: Sequence[Row], why: str) -> Logged:
    _keep(settings().spool / target.kind, target, lines_of(rows))
    where = f"they wait in {settings().spool} for `python -m forewarn`"
    return Logged(spooled=len(rows), errors=(f"{why}; {where}",) if why else ())


def _set_aside(target: Target, rows: Sequence[Row]) -> None:
    if rows:
        text = "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
        _keep(settings().spool / "rejected" / target.kind, target, text)


def _keep(folder: Path, target: Target, lines: str) -> None:
    """A new file, on the disk before this returns."""
    path = folder / (quote(target.system, safe="") if target.system else NO_SYSTEM) / f"{new_run_id()}.ndjson"
    part = path.with_suffix(".part")
    append(part, lines.rstrip("\n"))
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, path)
