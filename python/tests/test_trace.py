"""Jobs, steps, datasets and models as events; and that recording never stands in the way."""

import asyncio
import json
import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

from forewarn import trace
from forewarn.canonical import sha256_of_json
from forewarn.code import _without_credentials, commit_of, source_digest, without_comments

from .libraries import PACKAGE
from .recorded import NOON, Recorded


@trace.step(parameters=["strategy"])
def impute(table, strategy="median"):
    trace.state(medians=[1.0, 2.0])
    return table


@trace.step(name="scaled", code="v2", parameters={"by": 10})
def scale(table):
    trace.note(also=True)
    return table


@trace.step
async def fetch(table):
    return table


def pipeline(event):
    return event["run"]["facets"]["forewarn_pipeline"]


class Runs(Recorded):
    def test_a_run_is_told_as_it_begins_and_as_it_ends(self):
        self.configure(clock=lambda: NOON)
        with trace.job("features", description="joins") as run:
            pass
        start, complete = self.events()
        self.assertEqual((start["eventType"], complete["eventType"]), ("START", "COMPLETE"))
        for event in (start, complete):
            self.assertEqual(event["eventTime"], "2026-11-27T12:00:00.000000Z")
            self.assertEqual(event["run"]["runId"], run.id)
            self.assertEqual((event["job"]["namespace"], event["job"]["name"]), ("tests", "features"))
            self.assertEqual(event["job"]["facets"]["documentation"]["description"], "joins")

    def test_an_error_goes_on_its_way_and_its_text_is_not_kept(self):
        with self.assertRaisesRegex(ValueError, "alice"), trace.job("fails"):
            raise ValueError("could not convert alice")
        facet = self.last("FAIL")["run"]["facets"]["errorMessage"]
        self.assertRegex(facet["message"], r"^ValueError in test_trace\.py:\d+ \(test_an_error")
        self.assertNotIn("alice", json.dumps(self.events()))

    def test_what_is_interrupted_is_aborted_and_what_leaves_with_0_is_complete(self):
        for error, kind in [(KeyboardInterrupt(), "ABORT"), (SystemExit(0), "COMPLETE"), (SystemExit("no"), "FAIL")]:
            with self.assertRaises(type(error)), trace.job(kind.lower()) as run:
                raise error
            ended = [event for event in self.events() if event["run"]["runId"] == run.id]
            self.assertEqual(ended[-1]["eventType"], kind)

    def test_a_run_within_another_one_names_it(self):
        with trace.job("outer") as outer, trace.job("inner") as inner:
            pass
        events = {event["run"]["runId"]: event for event in self.events()}
        parent = events[inner.id]["run"]["facets"]["parent"]
        self.assertEqual((parent["run"]["runId"], parent["job"]["name"]), (outer.id, "outer"))
        self.assertNotIn("parent", events[outer.id]["run"]["facets"])

    def test_a_scheduler_hands_its_run_over(self):
        above = "0190f5b2-7c1a-7000-8000-000000000001"
        os.environ["OPENLINEAGE_PARENT_ID"] = f"airflow/dag.task/{above}"
        self.addCleanup(os.environ.pop, "OPENLINEAGE_PARENT_ID")
        with trace.job("below"):
            pass
        parent = self.last()["run"]["facets"]["parent"]
        self.assertEqual((parent["job"]["namespace"], parent["job"]["name"]), ("airflow", "dag.task"))
        self.assertEqual(parent["run"]["runId"], above)

    def test_a_run_that_lasts_tells_what_is_known_so_far(self):
        with trace.job("serve", kind="SERVICE", purpose="serving") as run:
            scale(1)
            run.serves("flight-delay", "2013.04", b"model", begins=NOON)
            run.checkpoint()
        facets = self.last("RUNNING")["run"]["facets"]
        context = facets["forewarn_servingContext"]
        self.assertEqual(context["model"]["version"], "2013.04")
        self.assertEqual(context["fingerprint"], pipeline(self.last("RUNNING"))["fingerprint"])
        self.assertEqual(context["from"], "2026-11-27T12:00:00.000000Z")
        self.assertEqual(self.last()["job"]["facets"]["jobType"]["processingType"], "SERVICE")


class Steps(Recorded):
    def test_steps_are_in_order_with_what_was_said_of_them(self):
        with trace.job("features", purpose="training") as run:
            impute([1], strategy="mean")
            scale([1])
            with run.step("by hand", {"a": (1, 2.0)}) as step:
                step.state(kept=b"abc")
        told = pipeline(self.last())
        self.assertEqual(told["purpose"], "training")
        first, second, third = told["steps"]
        self.assertEqual((first["name"], first["parameters"]), ("impute", {"strategy": "mean"}))
        self.assertEqual(first["code"], source_digest(impute))
        self.assertEqual(list(first["state"]), ["medians"])
        expected = {"name": "scaled", "code": "v2", "parameters": {"by": 10, "also": True}}
        self.assertEqual(second, expected)
        self.assertEqual(third["parameters"], {"a": [1, 2]})
        self.assertEqual(told["fingerprint"], sha256_of_json({"format": 1, "steps": told["steps"]}))

    def test_the_fingerprint_of_serving_is_the_one_of_training(self):
        found = []
        for purpose, batches in (("training", 1), ("serving", 3)):
            with trace.job(purpose, purpose=purpose) as run:
                for _ in range(batches):
                    scale(impute([1]))
            found.append(run.fingerprint)
        self.assertEqual(found[0], found[1])
        with trace.job("changed") as run:
            scale(impute([1], "mean"))
        self.assertNotEqual(run.fingerprint, found[0])

    def test_outside_of_a_job_a_function_is_as_it_was(self):
        self.assertEqual(impute([1]), [1])
        self.assertEqual(asyncio.run(fetch([1])), [1])
        self.assertEqual(impute.__name__, "impute")
        self.assertEqual(self.events(), [])

    def test_coroutines_are_steps_too(self):
        async def work():
            with trace.job("later"):
                return await fetch([2])

        self.assertEqual(asyncio.run(work()), [2])
        self.assertEqual([step["name"] for step in pipeline(self.last())["steps"]], ["fetch"])

    def test_a_pipeline_that_is_partly_known_is_not_claimed(self):
        self.configure(strict=False)
        with self.warnings() as told, trace.job("features") as run:
            scale([1])
            with run.step("odd", {"model": object()}):
                pass
        self.assertIsNone(run.fingerprint)
        self.assertNotIn("forewarn_pipeline", self.last()["run"]["facets"])
        self.assertEqual(len(told), 1, told)

    def test_comments_do_not_change_the_code(self):
        one = 'def f(a):\n    # why\n\n    return "#" + a  # how\n'
        self.assertEqual(without_comments(one), 'def f(a):\n    return "#" + a\n')


class Datasets(Recorded):
    def test_inputs_and_outputs_with_all_that_is_known(self):
        table = {"temp": [1.0, None], "dest": ["a", "b"]}
        with trace.job("features") as run:
            raw = run.reads(
                "weather", table, role="training", origin="ASOS", declared_by="ops", licence="CC0-1.0", begins=NOON,
                aliases=(trace.Alias("dvc", "abc", "content"),), uri="https://example.org/weather",
            )
            mean = trace.derived(raw["temp"], by="mean", how="AGGREGATION")
            run.writes("features", table, derived={"temp": mean, "dest": raw["dest"]}, joined_on=[raw["key"]])
            run.checked(raw, "not_null", False, column="temp", expected=0, actual=1)
        event = self.last()
        (read,), (written,) = event["inputs"], event["outputs"]
        self.assertEqual(read["facets"]["forewarn_digest"]["digest"], trace.fingerprint(table).digest)
        self.assertEqual(read["facets"]["forewarn_digest"]["aliases"][0]["strength"], "content")
        self.assertEqual(read["facets"]["forewarn_origin"]["declared_by"], "ops")
        self.assertEqual(read["inputFacets"]["forewarn_role"]["role"], "training")
        (check,) = read["inputFacets"]["dataQualityAssertions"]["assertions"]
        expected = {"assertion": "not_null", "success": False, "column": "temp", "expected": "0", "actual": "1"}
        self.assertEqual(check, expected)
        fields = written["facets"]["columnLineage"]["fields"]
        self.assertEqual(fields["temp"]["inputFields"][0]["transformations"][0]["subtype"], "AGGREGATION")
        self.assertEqual(fields["dest"]["inputFields"][0]["transformations"][0]["subtype"], "IDENTITY")
        self.assertEqual(written["outputFacets"]["outputStatistics"]["rowCount"], 2)

    def test_checks_of_what_was_written_are_a_run_of_their_own(self):
        with trace.job("features") as run:
            out = run.writes("features", {"a": [1]})
            run.checked(out, "unique", True, column="a")
        checks = [event for event in self.events() if event["job"]["name"] == "features.checks"]
        self.assertEqual([event["eventType"] for event in checks], ["START", "COMPLETE"])
        self.assertEqual(checks[0]["run"]["facets"]["parent"]["run"]["runId"], run.id)
        self.assertIn("dataQualityAssertions", checks[1]["inputs"][0]["inputFacets"])

    def test_a_check_of_another_version_stays_with_that_version(self):
        old, new = trace.dataset("weather", {"a": [1]}), trace.dataset("weather", {"a": [2]})
        with trace.job("train") as run:
            run.reads(new)
            run.checked(old, "unique", True)
        checked = {
            entry["facets"]["forewarn_digest"]["digest"]: "dataQualityAssertions" in entry["inputFacets"]
            for entry in self.last()["inputs"]
        }
        self.assertEqual(checked, {old.fingerprint.digest: True, new.fingerprint.digest: False})

    def test_a_model_with_its_digest_and_metrics(self):
        path = self.folder / "model.onnx"
        path.write_bytes(b"abc")
        with trace.job("train", purpose="training") as run:
            run.model("m", "1", path, format="onnx", metrics={"auc": 0.7}, parameters={"trees": 10}, aliases=["live"])
        facet = self.last()["run"]["facets"]["forewarn_model"]
        self.assertEqual(facet["digest"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        self.assertEqual((facet["metrics"], facet["parameters"]), ({"auc": 0.7}, {"trees": 10}))
        self.assertEqual(facet["aliases"], ["live"])


class Failures(Recorded):
    def test_nothing_of_ours_reaches_the_pipeline(self):
        blocked = self.folder / "file"
        blocked.write_text("")
        self.configure(strict=False, folder=blocked / "lineage")
        with self.warnings() as told:
            for _ in range(3):
                with trace.job("features", purpose="cooking", kind="?", wrong=1) as run:
                    run.reads("gone", "/no/such/file")
                    run.reads("odd", {"a": [object()]}, role="tea", nonsense=1)
                    run.model("m", "1", "/no/such/model", metrics={"auc": float("nan")})
                    run.checked(None, "x", True)
                    run.serves("m", "1", begins=NOON.replace(tzinfo=None))
                    with run.step("s", {1: object()}):
                        pass
                    trace.step(parameters=["stratgey"])(len)([1])
                    done = True
        self.assertTrue(done)
        self.assertTrue(told)
        self.assertEqual(len(told), len(set(told)), "each failure is told once")

    def test_what_cannot_be_read_costs_itself_alone(self):
        self.configure(strict=False)
        with self.warnings(), trace.job("train") as run:
            run.writes("features", {"a": [1]}, derived={"a": 5})
            run.model("m", "1", "/no/such/model", format="onnx")
        self.assertEqual(self.last()["outputs"][0]["name"], "features")
        self.assertEqual(self.last()["run"]["facets"]["forewarn_model"]["format"], "onnx")

    def test_strict_raises(self):
        with self.assertRaisesRegex(ValueError, "no file and no folder"):
            trace.dataset("gone", "/no/such/file")
        with self.assertRaisesRegex(ValueError, "no purpose"):
            trace.job("features", purpose="cooking")
        with self.assertRaisesRegex(TypeError, "no argument stratgey"):
            trace.step(parameters=["stratgey"])(lambda strategy: strategy)
        with self.assertRaisesRegex(TypeError, "no setting"):
            trace.configure(flder="x")

    def test_disabled_records_nothing(self):
        self.configure(disabled=True)
        with trace.job("features"):
            impute([1])
        self.assertEqual(self.events(), [])


class Writers(Recorded):
    def test_threads_and_forks_have_files_of_their_own(self):
        def one(_):
            with trace.job("many") as run:
                run.reads("t", {"a": ["x" * 1000] * 10})
            return run.id

        with ThreadPoolExecutor(8) as pool:
            ids = set(pool.map(one, range(40)))
        self.assertEqual(len(ids), 40)
        self.assertEqual(len(self.events()), 80)
        self.assertEqual(len(list((self.folder / "lineage").iterdir())), 40)

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_a_fork_does_not_write_into_its_parents_file(self):
        code = (
            "import os, sys; from forewarn import trace\n"
            "with trace.job('forked') as run:\n"
            "    if os.fork() == 0:\n"
            "        run.checkpoint(); os._exit(0)\n"
            "    os.wait()\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "FOREWARN_DIR": str(self.folder / "lineage")}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        files = sorted(path.name.count(".") for path in (self.folder / "lineage").iterdir())
        self.assertEqual(files, [2, 3])

    def test_a_server_takes_events_with_a_token(self):
        with self.server([(200, {}, {})]) as asked, trace.job("features"):
            pass
        self.assertEqual([path for path, _, _ in asked], ["/api/v1/lineage"] * 2)
        self.assertEqual(asked[0][1]["Authorization"], "Bearer fw_test")
        self.assertEqual([json.loads(body)["eventType"] for _, _, body in asked], ["START", "COMPLETE"])
        self.assertEqual(self.events(), [])

    def test_what_a_server_does_not_take_is_kept(self):
        self.configure(strict=False)
        with self.warnings() as told:
            with self.server([(503, {"Retry-After": "1"}, {"detail": "busy"})]) as asked, trace.job("features"):
                pass
        self.assertEqual(len(asked), 3, "three tries for the first event; then the server is left alone")
        self.assertEqual([event["eventType"] for event in self.events()], ["START", "COMPLETE"])
        self.assertEqual(len(told), 1)
        self.assertIn("busy", told[0])

    def test_a_server_that_is_not_there_costs_nothing_but_a_warning(self):
        self.configure(strict=False, url="http://127.0.0.1:9")
        with self.warnings() as told, trace.job("features"):
            pass
        self.assertEqual(len(self.events()), 2)
        self.assertIn("forewarn trace import", told[0])


class Code(unittest.TestCase):
    def test_a_remote_is_named_without_its_credentials(self):
        for url, expected in [
            ("https://me:secret@example.org/a.git", "https://example.org/a.git"),
            ("git@example.org:team/a.git", "ssh://example.org/team/a.git"),
        ]:
            self.assertEqual(_without_credentials(url), expected)

    def test_outside_of_git_there_is_no_commit(self):
        self.assertIsNone(commit_of("/no/such/folder/file.py"))


if __name__ == "__main__":
    unittest.main()
