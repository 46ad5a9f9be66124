"""Lineage: which data, steps and models a prediction came from.

::

    from forewarn import trace

    @trace.step(parameters=["strategy"])
    def impute(table, strategy="median"):
        medians = table.median(numeric_only=True)
        trace.state(medians=medians.to_dict())
        return table.fillna(medians)

    with trace.job("features") as run:
        raw = run.reads("weather", "weather.csv")
        table = impute(read("weather.csv"))
        run.writes("features", table, derived={"temp": raw["temp"]})

Every run is told as OpenLineage events: to the server that ``FOREWARN_URL`` names, or to files below
``FOREWARN_DIR`` (``.forewarn/lineage``) for ``forewarn trace import``. Where recording fails, the log
``forewarn`` says so once, and the work goes on; ``configure(strict=True)`` raises instead.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional, TypeVar, Union, cast, overload

from .code import source_digest
from .datasets import Alias, Column, Dataset, Derivation, dataset, derived
from .fingerprint import Fingerprint, fingerprint, state_digest
from .pipeline import Step, pipeline_fingerprint
from .runs import Run, caller, current_run, current_step, new_run
from .settings import configure, quietly

__all__ = [
    "Alias",
    "Column",
    "Dataset",
    "Derivation",
    "Fingerprint",
    "Run",
    "Step",
    "configure",
    "current_run",
    "current_step",
    "dataset",
    "derived",
    "fingerprint",
    "job",
    "note",
    "pipeline_fingerprint",
    "state",
    "state_digest",
    "step",
]

Function = TypeVar("Function", bound=Callable[..., Any])
Parameters = Union[Mapping[str, Any], Iterable[str]]


def job(name: str, *, namespace: Optional[str] = None, purpose: str = "preparation", **told: Any) -> Run:
    """A run of a job, recorded from the beginning of a ``with`` to its end.

    ``purpose`` is preparation, training or serving. Further arguments: ``kind`` (``BATCH`` or
    ``SERVICE``), ``description``, ``code`` (url, version and path, where git does not know; ``False`` for
    none), ``run_id`` (a UUID). An error within the ``with`` is recorded as a failure and goes on its way.
    """
    return new_run(name, namespace, purpose, told, caller(2))


@overload
def step(function: Function) -> Function: ...


@overload
def step(
    *, name: Optional[str] = None, parameters: Parameters = (), code: Optional[str] = None
) -> Callable[[Function], Function]: ...


def step(
    function: Optional[Function] = None,
    *,
    name: Optional[str] = None,
    parameters: Parameters = (),
    code: Optional[str] = None,
) -> Any:
    """Makes every call of a function within a job a step of it; elsewhere the function is as it was.

    ``name`` is the function's own, ``code`` the digest of its source, where nothing else is given.
    ``parameters`` are the arguments to record, by name, or a mapping to record as it is. Which
    arguments those are is said and not guessed, because some hold data, and some secrets.
    """
    if function is None:
        return lambda given: step_of(given, name, parameters, code)
    return step_of(function, name, parameters, code)


def step_of(function: Function, name: Optional[str], parameters: Parameters, code: Optional[str]) -> Function:
    """The function, recorded."""
    called: str = name or getattr(function, "__name__", None) or type(function).__name__
    version = code if code is not None else source_digest(function)
    read = _reader(function, called, parameters)

    def step_in(run: Run, arguments: Any, keywords: Any) -> Any:
        return run.step(called, read(arguments, keywords), code=version)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def recorded_later(*arguments: Any, **keywords: Any) -> Any:
            run = current_run()
            if run is None:
                return await function(*arguments, **keywords)
            with step_in(run, arguments, keywords):
                return await function(*arguments, **keywords)

        return cast(Function, recorded_later)

    @functools.wraps(function)
    def recorded(*arguments: Any, **keywords: Any) -> Any:
        run = current_run()
        if run is None:
            return function(*arguments, **keywords)
        with step_in(run, arguments, keywords):
            return function(*arguments, **keywords)

    return cast(Function, recorded)


def _reader(
    function: Callable[..., Any], called: str, parameters: Parameters
) -> Callable[[Any, Any], Mapping[str, Any]]:
    """What reads the parameters to record from a call's arguments."""
    if isinstance(parameters, Mapping):
        fixed = dict(parameters)
        return lambda arguments, keywords: fixed
    names = list(parameters)
    # What cannot be written down makes the step one of which nothing is claimed.
    unknown: Mapping[str, Any] = {"parameters": object()}
    if not names:
        return lambda arguments, keywords: {}
    with quietly(f"find the parameters of the step {called}"):
        signature = inspect.signature(function)
        gone = [each for each in names if each not in signature.parameters]
        if gone:
            raise TypeError(f"it has no argument {', '.join(gone)}")

        def read(arguments: Any, keywords: Any) -> Mapping[str, Any]:
            with quietly(f"read the arguments of the step {called}"):
                bound = signature.bind(*arguments, **keywords)
                bound.apply_defaults()
                return {each: bound.arguments[each] for each in names}
            return unknown

        return read
    return lambda arguments, keywords: unknown


def note(**parameters: Any) -> None:
    """Adds parameters to the step that is open; without one nothing happens."""
    open_step = current_step()
    if open_step is not None:
        open_step.note(**parameters)


def state(**fitted: Any) -> None:
    """Adds what the open step was fitted to, as digests; without a step nothing happens."""
    open_step = current_step()
    if open_step is not None:
        open_step.state(**fitted)
