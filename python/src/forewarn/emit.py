"""Sends events to a server, or appends them to files that ``forewarn trace import`` reads.

A run has a file of its own, and a process that was forked from the one that began the run another
one, so that lines of two writers never mix. An event that a server does not take goes to the same
files: nothing is lost, and the import of what was sent before changes nothing.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import server
from .settings import Settings, settings, warn_once

REST_SECONDS = 60.0
"""How long a server that did not answer is left alone, so that a pipeline does not wait for it."""
TRIES = 3
WAIT_SECONDS_MAX = 2.0


@dataclass
class Patience:
    """Until when the server is left alone in this process."""

    until: float = 0.0


_patience = Patience()
_lock = threading.Lock()


def emit(event: Mapping[str, Any], owner: int) -> None:
    """Sends or writes an event of a run that the process ``owner`` began."""
    now = settings()
    if now.disabled:
        return
    line = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if not (now.url and _sent(now, line)):
        append(now.folder / _file_name(event, owner), line)


def append(path: Path, line: str) -> None:
    """Appends a line in one write, so that a process killed meanwhile leaves whole lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        rest = memoryview((line + "\n").encode("utf-8"))
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _sent(now: Settings, line: str) -> bool:
    with _lock:
        if time.monotonic() < _patience.until:
            return False
    request = server.Request(f"{(now.url or '').rstrip('/')}/api/v1/lineage", now.token, "application/json")
    answer = server.post(request, line.encode("utf-8"), TRIES, WAIT_SECONDS_MAX)
    if answer.ok:
        return True
    # A refusal is of this event alone; a server that does not answer keeps the next ones waiting too.
    if answer.worth_repeating:
        with _lock:
            _patience.until = time.monotonic() + REST_SECONDS
    where = f"its events are in {now.folder}; `forewarn trace import` takes them in"
    warn_once("could not send lineage to the server", f"{answer.why.rstrip('.')} ({where})")
    return False


def _file_name(event: Mapping[str, Any], owner: int) -> str:
    job = re.sub(r"[^A-Za-z0-9_-]+", "-", event["job"]["name"]).strip("-")[:60] or "job"
    process = "" if os.getpid() == owner else f".{os.getpid()}"
    return f"{job}.{event['run']['runId']}{process}.ndjson"
