"""Predictions and outcomes: what is delivered, what waits, and that nothing is lost between."""

import csv
import datetime as dt
import json
import subprocess
import sys
import unittest
from pathlib import Path

from forewarn import log, log_outcomes, log_predictions, resend
from forewarn import server as client
from forewarn.rows import json_row
from forewarn.settings import settings

from .libraries import needs, optional
from .recorded import NOON, Recorded

DEFINITION = """
[system]
id = "small"
[log]
path = "log"
id = "id"
time = "at"
score = "p"
outcome = { path = "outcomes", column = "y", time = "known" }
"""


def taken(body):
    return {"accepted": len(body.splitlines()), "duplicates": 0, "rejected": 0, "errors": []}


def rows(count):
    return [{"id": f"a{at}", "at": NOON + dt.timedelta(seconds=at), "p": 0.25} for at in range(count)]


class Rows(unittest.TestCase):
    def test_values_are_written_as_forewarn_reads_them(self):
        berlin = dt.timezone(dt.timedelta(hours=1))
        for value, expected in [
            (float("nan"), None),
            (True, True),
            (dt.datetime(2026, 11, 27, 13, tzinfo=berlin), "2026-11-27T12:00:00.000000Z"),
            (dt.date(2026, 11, 27), "2026-11-27"),
            ((1.0, 2.0), [1.0, 2.0]),
        ]:
            self.assertEqual(json_row({"a": value}), {"a": expected})
        for value in (float("inf"), dt.datetime(2026, 1, 1), object(), {"a": 1}):
            with self.assertRaisesRegex(ValueError, "column `a`"):
                json_row({"a": value})

    @needs("pandas", "numpy")
    def test_rows_of_a_frame(self):
        pd, np = optional("pandas"), optional("numpy")
        frame = pd.DataFrame({"a": np.array([1, 2]), "t": ["x", None], "at": pd.to_datetime([NOON, None], utc=True)})
        expected = [{"a": 1, "t": "x", "at": "2026-11-27T12:00:00.000000Z"}, {"a": 2, "t": None, "at": None}]
        self.assertEqual([json_row(row) for row in log.records_of(frame)], expected)
        json.dumps([json_row(row) for row in log.records_of(frame)])


class ToAServer(Recorded):
    def setUp(self):
        super().setUp()
        self.configure(strict=False)

    def waiting(self):
        return [line for path in (self.folder / "spool").rglob("*.ndjson") for line in path.read_text().splitlines()]

    def test_batches_reach_the_system_with_the_token(self):
        with self.server([(200, {}, taken)]) as asked:
            done = log_predictions(rows(log.ROWS_A_REQUEST + 1), system="flight/delay")
        self.assertEqual((done.accepted, done.spooled, done.rejected), (log.ROWS_A_REQUEST + 1, 0, 0))
        self.assertEqual([path for path, _, _ in asked], ["/api/v1/systems/flight%2Fdelay/predictions"] * 2)
        self.assertEqual(asked[0][1]["Content-Type"], "application/x-ndjson")
        self.assertEqual([len(body.splitlines()) for _, _, body in asked], [log.ROWS_A_REQUEST, 1])

    def test_a_busy_server_is_asked_again(self):
        with self.server([(429, {"Retry-After": "2"}, {}), (503, {}, {}), (200, {}, taken)]) as asked:
            done = log_outcomes(rows(2), system="small")
        self.assertEqual((done.accepted, len(asked), self.waiting()), (2, 3, []))

    def test_what_was_not_taken_waits_and_is_delivered_later(self):
        with self.warnings() as told, self.server([(503, {}, {"detail": "busy"})]) as asked:
            done = log_predictions(rows(log.ROWS_A_REQUEST + 2), system="small")
        self.assertEqual((done.accepted, done.spooled), (0, log.ROWS_A_REQUEST + 2))
        self.assertEqual(len(asked), log.TRIES, "the second batch does not wait for the server again")
        self.assertEqual(len(told), 1)
        with self.server([(200, {}, taken)]) as asked:
            done = resend()
        self.assertEqual((done.accepted, done.spooled, self.waiting()), (log.ROWS_A_REQUEST + 2, 0, []))
        sent = [json.loads(line)["id"] for _, _, body in asked for line in body.splitlines()]
        self.assertEqual(sorted(sent), sorted(row["id"] for row in rows(log.ROWS_A_REQUEST + 2)))

    def test_what_is_refused_for_good_waits_too_and_says_why(self):
        with self.warnings() as told, self.server([(403, {}, {"detail": "the token may not write"})]) as asked:
            done = log_predictions(rows(2), system="small")
        self.assertEqual((done.spooled, len(asked), len(self.waiting())), (2, 1, 2))
        self.assertIn("may not write", told[0])

    def test_a_batch_that_is_too_large_is_halved(self):
        def answer(body):
            return taken(body)

        with self.server([(413, {}, {}), (200, {}, answer)]) as asked:
            done = log_predictions(rows(3), system="small")
        self.assertEqual((done.accepted, [len(body.splitlines()) for _, _, body in asked]), (3, [3, 1, 2]))

    def test_rows_with_a_mistake_are_set_aside_with_the_reason(self):
        told = {"accepted": 1, "duplicates": 0, "rejected": 1, "errors": [{"row": 1, "column": "p", "message": "odd"}]}
        with self.warnings(), self.server([(200, {}, told)]):
            done = log_predictions([*rows(2), {"id": "naive", "at": dt.datetime(2026, 1, 1)}], system="small")
        self.assertEqual((done.accepted, done.rejected, done.spooled), (1, 2, 0))
        aside = [json.loads(line) for line in self.waiting()]
        self.assertEqual({row["row"]["id"] for row in aside}, {"a1", "naive"})

    def test_what_is_no_row_costs_the_others_nothing(self):
        with self.warnings(), self.server([(200, {}, taken)]):
            done = log_predictions([5, *rows(1)], system="small")
            self.assertEqual((done.accepted, done.rejected), (1, 1))
            self.assertTrue(log_predictions(5, system="small").errors)

    def test_strict_raises_after_everything_was_kept(self):
        self.configure(strict=True, url="http://127.0.0.1:9")
        sleep, client.time.sleep = client.time.sleep, lambda _: None
        self.addCleanup(setattr, client.time, "sleep", sleep)
        with self.warnings(), self.assertRaisesRegex(ValueError, "does not answer"):
            log_predictions(rows(2), system="small")
        self.assertEqual(len(self.waiting()), 2)


class ToFiles(Recorded):
    def written(self):
        return sorted(path for path in (self.folder / "log").iterdir())

    def test_without_a_place_rows_wait(self):
        self.configure(strict=False)
        with self.warnings() as told:
            self.assertEqual(log_predictions(rows(1)).spooled, 1)
        self.assertIn("neither a server", told[0])
        self.assertEqual(resend(folder=self.folder / "log").accepted, 1)
        self.assertEqual(len(self.written()), 1)

    def test_the_same_rows_are_the_same_file(self):
        for _ in range(2):
            self.assertEqual(log_predictions(rows(3), folder=self.folder / "log").accepted, 3)
        self.assertEqual(len(self.written()), 1)

    def test_csv_where_there_is_csv(self):
        (self.folder / "log").mkdir()
        (self.folder / "log" / "old.csv").write_text("id,at,p\n")
        log_predictions([{"id": "a,b", "at": NOON, "ok": True, "gone": None}], folder=self.folder / "log")
        (path,) = [path for path in self.written() if path.name != "old.csv"]
        with path.open(newline="") as file:
            (row,) = csv.DictReader(file)
        expected = {"id": "a,b", "at": "2026-11-27T12:00:00.000000Z", "ok": "true", "gone": ""}
        self.assertEqual(row, expected)

    @needs("pyarrow")
    def test_parquet_has_the_types_of_the_files_that_are_there(self):
        pa, pq = optional("pyarrow"), optional("pyarrow.parquet")
        log_predictions([{"id": "a", "at": NOON, "n": 1.5, "late": None}], folder=self.folder / "log")
        log_predictions([{"id": "b", "at": NOON, "n": 2, "late": "x"}], folder=self.folder / "log")
        schemas = [pq.read_schema(path) for path in self.written()]
        self.assertEqual([schema.field("n").type for schema in schemas], [pa.float64()] * 2)
        self.assertEqual(sorted(len(schema) for schema in schemas), [3, 4], "a column without a value is left out")

    @needs("pyarrow")
    @unittest.skipIf(sys.version_info < (3, 11) and not optional("tomli"), "reading a definition needs tomllib")
    def test_a_definition_says_where_and_what_a_row_needs(self):
        pa, pq = optional("pyarrow"), optional("pyarrow.parquet")
        (self.folder / "forewarn.toml").write_text(DEFINITION)
        self.configure(strict=False)
        with self.warnings():
            done = log_predictions([*rows(2), {"id": None, "at": NOON}], definition=self.folder)
        self.assertEqual((done.accepted, done.rejected), (2, 1))
        log_outcomes([{"id": "a0", "known": "2026-11-27T13:00:00+01:00", "y": 1}], definition=self.folder)
        (path,) = (self.folder / "outcomes").iterdir()
        table = pq.read_table(path)
        self.assertEqual(table.schema.field("known").type, pa.timestamp("us", tz="UTC"))
        self.assertEqual(table["known"].to_pylist(), [NOON])
        self.assertEqual(pq.read_table(self.written()[0])["at"].to_pylist()[0], NOON)


class CommandLine(Recorded):
    def test_waiting_rows_are_delivered_from_outside(self):
        self.configure(strict=False)
        with self.warnings():
            log_predictions(rows(1), system="small")
        source = Path(log.__file__).parent.parent
        with self.server([(200, {}, taken)]):
            environment = {
                "PYTHONPATH": str(source), "FOREWARN_URL": settings().url, "FOREWARN_SPOOL": str(settings().spool)
            }
            done = subprocess.run(
                [sys.executable, "-m", "forewarn"], env=environment, capture_output=True, text=True, check=True
            )
        self.assertEqual(done.stdout, "1 rows delivered, 0 refused, 0 wait\n")


if __name__ == "__main__":
    unittest.main()
