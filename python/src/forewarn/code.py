"""Which code it was: the source of a function, the commit of its repository."""

from __future__ import annotations

import functools
import inspect
import io
import subprocess
import textwrap
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit, urlunsplit

from .canonical import sha256


def source_digest(function: Callable[..., Any]) -> Optional[str]:
    """``sha256:`` and the digest of the function's source without comments and blank lines.

    What the function calls is not in it. ``None`` where there is no source, as for what was typed
    into an interpreter: then nothing is claimed.
    """
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    except (OSError, TypeError):
        return None
    return "sha256:" + sha256(without_comments(source).encode("utf-8"))


def without_comments(source: str) -> str:
    """The source, of which comments, blank lines and white space at the ends of lines are gone."""
    lines = source.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError):
        return source
    return "\n".join(line.rstrip() for line in lines if line.strip()) + "\n"


@dataclass(frozen=True)
class Commit:
    """Where a file of code is kept."""

    version: str
    """The commit; with ``-dirty`` where tracked files differ from it."""
    url: str
    path: Optional[str] = None


def commit_of(file: Optional[str]) -> Optional[Commit]:
    """The commit of a file's repository, or of the working folder's; ``None`` outside of git."""
    folder = Path(file).resolve().parent if file else Path.cwd()
    found = _repository(str(folder))
    if found is None:
        return None
    root, version, url = found
    path: Optional[str] = None
    if file:
        try:
            path = Path(file).resolve().relative_to(root).as_posix()
        except ValueError:
            path = None
    return Commit(version, url, path)


@functools.lru_cache(maxsize=None)
def _repository(folder: str) -> Optional[tuple[str, str, str]]:
    root = _git(folder, "rev-parse", "--show-toplevel")
    # A pattern that matches no tag: the commit itself, all forty digits of it.
    version = _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    if not root or not version:
        return None
    remote = _git(folder, "config", "--get", "remote.origin.url")
    return root, version, _without_credentials(remote) if remote else Path(root).as_uri()


def _git(folder: str, *arguments: str) -> Optional[str]:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    if not parts.scheme:
        # git@host:path is no URI; ssh://host/path says the same.
        host, _, path = url.rpartition("@")[2].partition(":")
        return f"ssh://{host}/{path}" if path else Path(url).absolute().as_uri()
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
