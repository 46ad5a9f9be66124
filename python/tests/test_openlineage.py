"""Our events in the classes of the client that OpenLineage itself publishes."""

import importlib
import json
import pkgutil
import sys
import typing
import unittest

from forewarn import trace

from .libraries import needs, optional
from .recorded import NOON, Recorded

COMMON = {"_producer", "_schemaURL"}


def classes():
    """Every generated facet, by the address of its schema."""
    import attr
    from openlineage.client import generated

    found = {}
    for module in pkgutil.iter_modules(generated.__path__):
        held = importlib.import_module(f"openlineage.client.generated.{module.name}")
        for one in vars(held).values():
            if isinstance(one, type) and attr.has(one) and hasattr(one, "_get_schema"):
                found[one._get_schema()] = one
    return found


def structured(of, value):
    """The value as an instance of the class; what the class does not know is a mistake."""
    import attr

    if isinstance(of, type) and attr.has(of):
        hints = typing.get_type_hints(of)
        known = {each.name.lstrip("_"): each.name for each in attr.fields(of) if each.init}
        given = {name: member for name, member in value.items() if name not in COMMON}
        unknown = set(given) - set(known)
        if unknown:
            raise AssertionError(f"{of.__name__} has no {', '.join(sorted(unknown))}")
        return of(**{name: structured(hints[known[name]], member) for name, member in given.items()})
    held = [each for each in typing.get_args(of) if each is not type(None)]
    if typing.get_origin(of) not in (list, dict):
        # Something or nothing: `list[InputField] | None`.
        return structured(held[0], value) if held else value
    if isinstance(value, list):
        return [structured(held[0], member) for member in value]
    if isinstance(value, dict):
        return {name: structured(held[1], member) for name, member in value.items()}
    return value


def facets_of(event):
    """Every facet of an event, under its key."""
    yield from event["run"]["facets"].items()
    yield from event["job"]["facets"].items()
    for dataset in [*event["inputs"], *event["outputs"]]:
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield from dataset.get(kind, {}).items()


@unittest.skipIf(sys.version_info < (3, 10), "the client's annotations are read by Python 3.10 and newer")
@needs("openlineage.client")
class OpenLineage(Recorded):
    def record(self):
        table = {"temp": [1.0, None], "dest": ["a", "b"]}
        code = ("https://example.org/a.git", "4f2d9c1", "a.py")
        job = trace.job("train", purpose="training", description="all at once", code=code)
        with trace.job("outer"), job as run:
            raw = run.reads(
                "weather", table, role="training", origin="ASOS", declared_by="ops", version="7", licence="CC0-1.0",
                begins=NOON, ends=NOON, uri="https://example.org/w", aliases=(trace.Alias("dvc", "abc", "content"),),
            )
            out = run.writes(
                "features", table, derived={"temp": trace.derived(raw["temp"], by="mean")}, joined_on=[raw["dest"]]
            )
            run.checked(raw, "not_null", False, column="temp", expected=0, actual=1)
            run.checked(out, "unique", True)
            with run.step("impute", {"strategy": "median"}) as step:
                step.state(medians=[1.0])
            run.model("m", "1", b"abc", metrics={"auc": 0.7}, parameters={"trees": 1}, format="onnx")
            run.serves("m", "1", b"abc", begins=NOON)
        try:
            with trace.job("fails"):
                raise ValueError
        except ValueError:
            pass
        return self.events()

    def test_every_facet_is_one_that_the_client_knows(self):
        known, seen = classes(), set()
        for event in self.record():
            for key, facet in facets_of(event):
                self.assertTrue(COMMON <= set(facet), key)
                if not key.startswith("forewarn_"):
                    structured(known[facet["_schemaURL"]], facet)
                    seen.add(key)
        expected = {"parent", "errorMessage", "jobType", "documentation", "sourceCodeLocation", "schema", "version"}
        expected |= {"dataSource", "columnLineage", "outputStatistics", "dataQualityAssertions"}
        self.assertEqual(seen, expected)

    def test_every_event_is_one_that_the_client_makes(self):
        from openlineage.client import event_v2

        for event in self.record():
            made = event_v2.RunEvent(
                eventType=event_v2.RunState[event["eventType"]],
                eventTime=event["eventTime"],
                run=event_v2.Run(event["run"]["runId"], event["run"]["facets"]),
                job=event_v2.Job(event["job"]["namespace"], event["job"]["name"], event["job"]["facets"]),
                inputs=[event_v2.InputDataset(**entry) for entry in event["inputs"]],
                outputs=[event_v2.OutputDataset(**entry) for entry in event["outputs"]],
                producer=event["producer"],
            )
            self.assertEqual(made.schemaURL, event["schemaURL"])

    @needs("jsonschema")
    def test_our_own_facets_are_as_the_manual_has_them(self):
        from pathlib import Path

        manual = Path(__file__).resolve().parents[2] / "docs" / "lineage-facets.md"
        if not manual.exists():
            self.skipTest("docs/lineage-facets.md is not there")
        schema = json.loads(manual.read_text("utf-8").rpartition("```json\n")[2].partition("```")[0])
        validator = optional("jsonschema").Draft202012Validator
        seen = set()
        for event in self.record():
            for key, facet in facets_of(event):
                if key.startswith("forewarn_"):
                    name = facet["_schemaURL"].rpartition("/")[2]
                    validator({**schema, "$ref": f"#/$defs/{name}"}).validate(facet)
                    unknown = set(facet) - set(schema["$defs"][name]["properties"]) - COMMON
                    self.assertEqual(unknown, set(), name)
                    seen.add(key)
        names = ("digest", "model", "origin", "pipeline", "role", "servingContext")
        self.assertEqual(seen, {f"forewarn_{name}" for name in names})


if __name__ == "__main__":
    unittest.main()
