"""Steps of preprocessing, in order, and the one fingerprint that they have together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Optional

from .canonical import canonical_json, sha256_of_json
from .fingerprint import state_digest
from .settings import quietly


@dataclass
class Step:
    """A step: its name, its code, its parameters, and digests of what it was fitted to."""

    name: str
    code: Optional[str] = None
    parameters: dict[str, Any] = field(default_factory=dict)
    fitted: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    """Whether something of it could not be written down; then nothing is claimed of the pipeline."""

    def note(self, **parameters: Any) -> None:
        """Adds parameters: text, numbers, truth values, lists and mappings of these."""
        self.add(parameters)

    def add(self, parameters: Mapping[str, Any]) -> None:
        """Adds parameters whose names are given as data."""
        with quietly(f"write down the parameters of the step {self.name}"), self._whole():
            self.parameters.update(json.loads(canonical_json(dict(parameters))))

    def state(self, **fitted: Any) -> None:
        """Adds what the step was fitted to; its digest is kept, not the values."""
        with quietly(f"digest what the step {self.name} was fitted to"), self._whole():
            self.fitted.update({name: state_digest(value) for name, value in fitted.items()})

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            self.broken = True
            raise

    def members(self) -> dict[str, Any]:
        """The step in the canonical form: absent and empty members are left out."""
        said: dict[str, Any] = {"name": self.name}
        said.update({"code": self.code} if self.code else {})
        said.update({"parameters": self.parameters} if self.parameters else {})
        said.update({"state": self.fitted} if self.fitted else {})
        return said


def pipeline_fingerprint(steps: "list[Mapping[str, Any]]") -> str:
    """SHA-256 of the canonical JSON of steps as :meth:`Step.members` has them."""
    return sha256_of_json({"format": 1, "steps": [dict(step) for step in steps]})
