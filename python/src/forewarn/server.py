"""One POST to a Forewarn server, tried again where that can help."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Optional

TIMEOUT_SECONDS = 10.0
REPEATABLE = (408, 425, 429, 500, 502, 503, 504, 507)


@dataclass(frozen=True)
class Request:
    """Where to, as whom, and what."""

    url: str
    token: Optional[str]
    content_type: str


@dataclass(frozen=True)
class Answer:
    """What came of it. ``status`` is 0 where nobody answered."""

    status: int
    why: str
    body: Any = None
    retry_after: Optional[float] = None

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300

    @property
    def worth_repeating(self) -> bool:
        """Whether the same request may do better later."""
        return self.status == 0 or self.status in REPEATABLE


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another place, and a POST not at all."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def post(request: Request, body: bytes, tries: int, wait_seconds_max: float) -> Answer:
    """Posts in gzip; waits between tries, longer each time, or as long as the server says, up to a bound."""
    packed = gzip.compress(body, compresslevel=5, mtime=0)
    answer = _once(request, packed)
    for attempt in range(1, tries):
        if not answer.worth_repeating:
            break
        wait = answer.retry_after if answer.retry_after is not None else 0.25 * 2**attempt * (1 + random.random())
        time.sleep(min(wait, wait_seconds_max))
        answer = _once(request, packed)
    return answer


def _once(request: Request, packed: bytes) -> Answer:
    headers = {"Content-Type": request.content_type, "Content-Encoding": "gzip", "Accept": "application/json"}
    if request.token:
        headers["Authorization"] = f"Bearer {request.token}"
    try:
        asked = urllib.request.Request(request.url, packed, headers, method="POST")
        with _opener.open(asked, timeout=TIMEOUT_SECONDS) as response:
            return Answer(response.status, "taken", _json(response.read()))
    except urllib.error.HTTPError as error:
        with error:
            body = _json(error.read())
            detail = body.get("detail") if isinstance(body, dict) else None
            return Answer(error.code, f"{error.code} {detail or error.reason}", body, _seconds(error.headers))
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Everything below HTTP, and an address that is none.
        return Answer(0, f"{request.url} does not answer: {error}")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _seconds(headers: Any) -> Optional[float]:
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return None
