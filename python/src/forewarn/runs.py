"""A run of a job: what it read, did, made and wrote, told as it begins and as it ends."""

from __future__ import annotations

import contextvars
import json
import math
import os
import re
import secrets
import sys
import threading
import traceback
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Optional, Union

from .canonical import canonical_json, sha256
from .code import commit_of
from .datasets import Dataset, column_lineage, dataset
from .emit import emit
from .facets import Facet, event, facet, is_nothing, parent, source_code
from .pipeline import Step, pipeline_fingerprint
from .settings import quietly, settings, timestamp

_run: "contextvars.ContextVar[Optional[Run]]" = contextvars.ContextVar("forewarn_run", default=None)
_step: "contextvars.ContextVar[Optional[Step]]" = contextvars.ContextVar("forewarn_step", default=None)

PURPOSES = ("preparation", "training", "serving")
ROLES = ("training", "validation", "test", "reference", "features")


def current_run() -> Optional[Run]:
    """The innermost run that is open here. Threads begin without one: hand the run over."""
    return _run.get()


def current_step() -> Optional[Step]:
    """The innermost step that is open here."""
    return _step.get()


def new_run_id() -> str:
    """A UUID of version 7: ids that are made later sort later."""
    milliseconds = int(settings().clock().timestamp() * 1000)
    bits = (milliseconds << 80) | (7 << 76) | (secrets.randbits(12) << 64) | (2 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=bits))


@dataclass
class Use:
    """A dataset in a run, with the facets that it has in this run."""

    dataset: Dataset
    own: dict[str, Facet] = field(default_factory=dict)
    """inputFacets or outputFacets."""
    more: dict[str, Facet] = field(default_factory=dict)
    """Facets of the dataset that are known by this run."""
    checks: list[dict[str, Any]] = field(default_factory=list)

    def entry(self, kind: str) -> dict[str, Any]:
        """The dataset as an event has it."""
        own = dict(self.own)
        if self.checks:
            own |= facet("dataQualityAssertions", {"assertions": self.checks})
        whole = {"namespace": self.dataset.namespace, "name": self.dataset.name}
        return {**whole, "facets": {**self.dataset.facets, **self.more}, kind: own}


@dataclass
class Run:
    """A run that is recorded while it is used as a context manager. Make one with ``job``."""

    name: str
    namespace: str
    id: str
    purpose: str = "preparation"
    facets: dict[str, Facet] = field(default_factory=dict)
    job_facets: dict[str, Facet] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    inputs: dict[Any, Use] = field(default_factory=dict)
    outputs: dict[Any, Use] = field(default_factory=dict)
    serving: Optional[dict[str, Any]] = None
    owner: int = field(default_factory=os.getpid)
    _lock: Any = field(default_factory=threading.RLock, repr=False)
    _token: Any = field(default=None, repr=False)

    def __enter__(self) -> Run:
        with quietly(f"find what the job {self.name} runs within"):
            self.facets |= _parent()
        self._token = _run.set(self)
        self._tell("START")
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with quietly(f"close the job {self.name}"):
            _run.reset(self._token)
        if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            self._tell("COMPLETE")
        else:
            with quietly(f"say why the job {self.name} failed"):
                self.facets |= facet("errorMessage", {"message": _what(error), "programmingLanguage": "python"})
            failed = isinstance(error, (Exception, SystemExit))
            self._tell("FAIL" if failed else "ABORT")
        self._tell_checks_of_outputs()

    # What a run did

    @contextmanager
    def step(
        self, name: str, parameters: Optional[Mapping[str, Any]] = None, *, code: Optional[str] = None
    ) -> Iterator[Step]:
        """A step of preprocessing, at its place in the order in which steps begin.

        A step that is equal to an earlier one of the run counts once, so that a loop over batches has
        the fingerprint of one batch.
        """
        step = Step(str(name), code)
        if parameters:
            step.add(parameters)
        with self._lock:
            self.steps.append(step)
        token = _step.set(step)
        try:
            yield step
        finally:
            _step.reset(token)
            self._once(step)

    def _once(self, step: Step) -> None:
        with self._lock:
            at = next(at for at, other in enumerate(self.steps) if other is step)
            if any(other.members() == step.members() for other in self.steps[:at]):
                del self.steps[at]

    def reads(
        self, what: Union[Dataset, str], data: Any = None, *, role: Optional[str] = None, **described: Any
    ) -> Dataset:
        """Records an input: a dataset, or a name with what ``dataset`` takes.

        ``role`` says what the run uses it for: training, validation, test, reference or features.
        """
        found = self._dataset(what, data, described)
        with quietly(f"record that {self.name} reads {found.name}"):
            use = Use(found)
            if role is not None:
                use.own |= facet("forewarn_role", {"role": _one_of(role, ROLES, "role")})
            with self._lock:
                self.inputs.setdefault((found.key, role), use)
        return found

    def writes(
        self,
        what: Union[Dataset, str],
        data: Any = None,
        *,
        derived: Optional[Mapping[str, Any]] = None,
        joined_on: Any = (),
        **described: Any,
    ) -> Dataset:
        """Records an output, and of its columns from which columns of inputs they are derived."""
        found = self._dataset(what, data, described)
        with quietly(f"record that {self.name} writes {found.name}"):
            use = Use(found)
            with quietly(f"record from which columns those of {found.name} are derived"):
                use.more |= column_lineage(derived or {}, joined_on)
            if found.fingerprint is not None:
                counts = {"rowCount": found.fingerprint.rows, "size": found.fingerprint.bytes}
                use.own |= facet("outputStatistics", counts)
            with self._lock:
                self.outputs[found.key] = use
        return found

    def checked(
        self,
        what: Dataset,
        assertion: str,
        success: bool,
        *,
        column: Optional[str] = None,
        expected: Any = None,
        actual: Any = None,
    ) -> None:
        """Records a quality check of a dataset version, whether it passed or not."""
        with quietly(f"record the check {assertion} of {getattr(what, 'name', what)}"):
            said: dict[str, Any] = {"assertion": str(assertion), "success": bool(success)}
            more = {"column": column, "expected": expected, "actual": actual}
            said.update({key: str(value) for key, value in more.items() if value is not None})
            with self._lock:
                uses = [use for (key, _), use in self.inputs.items() if key == what.key]
                written = self.outputs.get(what.key)
                if not uses and written is None:
                    uses = [self.inputs.setdefault((what.key, None), Use(what))]
                for use in [*uses, *([written] if written else [])]:
                    use.checks.append(said)

    def model(self, name: str, version: str, artefact: Any = None, **told: Any) -> None:
        """Records the model version that the run made.

        ``artefact`` is its bytes or the path of its file. Further arguments: ``format``,
        ``parameters``, ``metrics`` (numbers by name), ``aliases``.
        """
        with quietly(f"record the model {name}@{version}"):
            unknown = set(told) - {"format", "parameters", "metrics", "aliases"}
            if unknown:
                raise TypeError(f"a model has no {', '.join(sorted(unknown))}")
            metrics = {key: _finite(key, value) for key, value in (told.get("metrics") or {}).items()}
            members = {
                "name": str(name),
                "version": str(version),
                "digest": _digest_of(f"{name}@{version}", artefact),
                "format": told.get("format"),
                "parameters": _json(told.get("parameters")),
                "metrics": metrics,
                "aliases": list(told.get("aliases") or ()),
            }
            self.facets |= facet("forewarn_model", members)

    def serves(self, name: str, version: str, artefact: Any = None, **told: Any) -> None:
        """Says that predictions of this model version are made in this run, with the run's pipeline
        and with the inputs that it reads. ``begins`` and ``ends`` bound the times of predictions."""
        with quietly(f"record the serving of {name}@{version}"):
            unknown = set(told) - {"begins", "ends", "digest", "fingerprint"}
            if unknown:
                raise TypeError(f"a serving context has no {', '.join(sorted(unknown))}")
            digest = told.get("digest") or _digest_of(f"{name}@{version}", artefact)
            model = {"name": str(name), "version": str(version), "digest": digest}
            times = {"from": told.get("begins"), "until": told.get("ends")}
            self.serving = {
                "model": {key: value for key, value in model.items() if value is not None},
                "fingerprint": told.get("fingerprint"),
                **{key: timestamp(time) for key, time in times.items() if time is not None},
            }

    @property
    def fingerprint(self) -> Optional[str]:
        """The fingerprint of the steps so far; ``None`` without steps, or where one is not known."""
        members = self._members()
        return pipeline_fingerprint(members) if members else None

    def checkpoint(self) -> None:
        """Tells what is known so far, for a run that lasts, such as a service."""
        self._tell("RUNNING")

    # Telling

    def _members(self) -> list[Mapping[str, Any]]:
        with self._lock:
            whole = not any(step.broken for step in self.steps)
            return [step.members() for step in self.steps] if whole else []

    def _tell(self, kind: str) -> None:
        if settings().disabled:
            return
        with quietly(f"record the job {self.name}"):
            # Threads that go on recording meanwhile do not wait for a server.
            emit(self._event(kind), self.owner)

    def _event(self, kind: str) -> dict[str, Any]:
        with self._lock:
            facets = dict(self.facets)
            members = self._members()
            if members:
                pipeline = {"purpose": self.purpose, "steps": members, "fingerprint": pipeline_fingerprint(members)}
                facets |= facet("forewarn_pipeline", pipeline)
            if self.serving is not None:
                fingerprint = self.serving.get("fingerprint") or self.fingerprint
                facets |= facet("forewarn_servingContext", {**self.serving, "fingerprint": fingerprint})
            inputs = [use.entry("inputFacets") for use in self.inputs.values()]
            # OpenLineage knows checks of inputs only; `_tell_checks_of_outputs` tells the others.
            outputs = [Use(use.dataset, use.own, use.more).entry("outputFacets") for use in self.outputs.values()]
            job = (self.namespace, self.name, self.job_facets)
            return event(kind, _now(), (self.id, facets), job, inputs, outputs)

    def _tell_checks_of_outputs(self) -> None:
        """Tells checks of outputs as a run of its own, in which they are inputs."""
        with quietly(f"record the checks of {self.name}"):
            checked = [use for use in self.outputs.values() if use.checks]
            if not checked or settings().disabled:
                return
            inputs = [Use(use.dataset, checks=use.checks).entry("inputFacets") for use in checked]
            within = parent(self.id, self.namespace, self.name)
            run_id = str(uuid.uuid5(uuid.UUID(self.id), "checks"))
            job = (self.namespace, f"{self.name}.checks", self.job_facets)
            for kind in ("START", "COMPLETE"):
                emit(event(kind, _now(), (run_id, within), job, inputs), self.owner)

    def _dataset(self, what: Union[Dataset, str], data: Any, described: Mapping[str, Any]) -> Dataset:
        if isinstance(what, Dataset):
            return what
        return dataset(str(what), data, **{"namespace": self.namespace, **described})


def new_run(
    name: str, namespace: Optional[str], purpose: str, told: Mapping[str, Any], file: Optional[str]
) -> Run:
    """A run that has not begun; ``file`` is where its code is."""
    run = Run(str(name), namespace or settings().namespace, "")
    with quietly(f"prepare the job {name}"):
        run.id = new_run_id()
        unknown = set(told) - {"kind", "description", "code", "run_id"}
        if unknown:
            raise TypeError(f"a job has no {', '.join(sorted(unknown))}")
        run.purpose = _one_of(purpose, PURPOSES, "purpose")
        if told.get("run_id") is not None:
            run.id = str(uuid.UUID(str(told["run_id"])))
        kind = {"processingType": told.get("kind") or "BATCH", "integration": "FOREWARN", "jobType": "JOB"}
        run.job_facets |= facet("jobType", kind)
        if told.get("description"):
            run.job_facets |= facet("documentation", {"description": told["description"]})
        run.job_facets |= _code(told.get("code"), file)
    return run


def artefact_digest(artefact: Any) -> str:
    """SHA-256 of bytes, or of the bytes of a file."""
    if isinstance(artefact, (bytes, bytearray, memoryview)):
        return sha256(bytes(artefact))
    return sha256(Path(artefact).read_bytes())


def _digest_of(model: str, artefact: Any) -> Optional[str]:
    """What cannot be read costs the digest and not the whole record."""
    if artefact is not None:
        with quietly(f"digest the artefact of {model}"):
            return artefact_digest(artefact)
    return None


def _code(told: Any, file: Optional[str]) -> dict[str, Facet]:
    """``told`` is (url, version) or (url, version, path) where the caller knows better than git, and
    ``False`` where nothing is to be told."""
    if told is False:
        return {}
    if told is not None:
        url, version, *path = told
        return source_code(str(version), str(url), str(path[0]) if path else None)
    commit = commit_of(file) if not settings().disabled else None
    return source_code(commit.version, commit.url, commit.path) if commit else {}


def _parent() -> dict[str, Facet]:
    above = _run.get()
    if above is not None:
        return parent(above.id, above.namespace, above.name)
    # Airflow and dbt hand their run over as NAMESPACE/JOB/RUN.
    given = os.environ.get("OPENLINEAGE_PARENT_ID", "")
    found = re.fullmatch(r"(.+)/([^/]+)/([0-9a-fA-F-]{36})", given)
    return parent(found[3], found[1], found[2]) if found else {}


def _what(error: BaseException) -> str:
    """The kind of an error and its place. Its text may hold values of rows, which are kept nowhere."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno} ({frames[-1].name})" if frames else ""
    return f"{type(error).__name__}{place}"


def _now() -> str:
    return timestamp(settings().clock())


def _json(value: Any) -> Any:
    return None if is_nothing(value) else json.loads(canonical_json(value))


def _finite(name: str, value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"the metric {name} is {number}, which is no number")
    return number


def _one_of(value: str, known: "tuple[str, ...]", what: str) -> str:
    if value not in known:
        raise ValueError(f"there is no {what} {value!r} (there are: {', '.join(known)})")
    return value


def caller(depth: int) -> Optional[str]:
    """The file of the code that called, if it is one."""
    name = sys._getframe(depth).f_code.co_filename
    return name if Path(name).is_file() else None
