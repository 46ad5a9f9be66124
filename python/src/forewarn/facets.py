"""OpenLineage 2-0-2: the facets that are written here.

What OpenLineage has no word for is in facets whose names begin with ``forewarn_``;
docs/lineage-facets.md of Forewarn describes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from . import __version__

Facet = dict[str, Any]

PRODUCER = f"urn:forewarn:python:{__version__}"
EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"

_SPEC = "https://openlineage.io/spec/facets"
_SCHEMAS = {
    "columnLineage": f"{_SPEC}/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
    "dataQualityAssertions": (
        f"{_SPEC}/1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet"
    ),
    "dataSource": f"{_SPEC}/1-0-1/DatasourceDatasetFacet.json#/$defs/DatasourceDatasetFacet",
    "documentation": f"{_SPEC}/1-1-0/DocumentationJobFacet.json#/$defs/DocumentationJobFacet",
    "errorMessage": f"{_SPEC}/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
    "jobType": f"{_SPEC}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
    "outputStatistics": (
        f"{_SPEC}/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
    ),
    "parent": f"{_SPEC}/1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet",
    "schema": f"{_SPEC}/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "sourceCodeLocation": f"{_SPEC}/1-1-0/SourceCodeLocationJobFacet.json#/$defs/SourceCodeLocationJobFacet",
    "version": f"{_SPEC}/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
    "forewarn_digest": "urn:forewarn:facets:1-0-0#/$defs/ForewarnDigestDatasetFacet",
    "forewarn_model": "urn:forewarn:facets:1-0-0#/$defs/ForewarnModelRunFacet",
    "forewarn_origin": "urn:forewarn:facets:1-0-0#/$defs/ForewarnOriginDatasetFacet",
    "forewarn_pipeline": "urn:forewarn:facets:1-0-0#/$defs/ForewarnPipelineRunFacet",
    "forewarn_role": "urn:forewarn:facets:1-0-0#/$defs/ForewarnRoleInputDatasetFacet",
    "forewarn_servingContext": "urn:forewarn:facets:1-0-0#/$defs/ForewarnServingContextRunFacet",
}


def facet(key: str, members: Mapping[str, Any]) -> dict[str, Facet]:
    """A facet under its key; members that are ``None`` or empty are left out."""
    said = {name: value for name, value in members.items() if not is_nothing(value)}
    return {key: {"_producer": PRODUCER, "_schemaURL": _SCHEMAS[key], **said}}


def is_nothing(value: Any) -> bool:
    """Whether a member says nothing: ``None``, or a list, tuple or mapping without members."""
    return value is None or (isinstance(value, (list, tuple, Mapping)) and not value)


def event(
    kind: str,
    time: str,
    run: tuple[str, Mapping[str, Facet]],
    job: tuple[str, str, Mapping[str, Facet]],
    inputs: Sequence[Mapping[str, Any]] = (),
    outputs: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A run event: ``run`` is its id and facets, ``job`` its namespace, name and facets."""
    run_id, run_facets = run
    namespace, name, job_facets = job
    return {
        "eventType": kind,
        "eventTime": time,
        "producer": PRODUCER,
        "schemaURL": EVENT_SCHEMA,
        "run": {"runId": run_id, "facets": dict(run_facets)},
        "job": {"namespace": namespace, "name": name, "facets": dict(job_facets)},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def parent(run_id: str, namespace: str, name: str) -> dict[str, Facet]:
    """The run within which another one runs."""
    return facet("parent", {"run": {"runId": run_id}, "job": {"namespace": namespace, "name": name}})


def source_code(version: str, url: str, path: Optional[str]) -> dict[str, Facet]:
    """Where the code of a job is kept, and at which commit."""
    return facet("sourceCodeLocation", {"type": "git", "url": url, "path": path, "version": version})
