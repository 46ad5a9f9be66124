"""The same content has the same fingerprint, and another one has another."""

import datetime as dt
import decimal
import hashlib
import json
import os
import struct
import tempfile
import unittest
from pathlib import Path

from forewarn.fingerprint import fingerprint, of_files, of_rows, state_digest

from .libraries import needs, optional

TWO_HOURS = dt.timezone(dt.timedelta(hours=2))
TABLE = {
    "whole": [1, 2, None],
    "decimal_places": [1.5, -0.0, float("nan")],
    "text": ["a", None, "ü"],
    "flag": [True, None, False],
    "large": [2**60, 1, 5],
    "zoned": [dt.datetime(2020, 1, 1, tzinfo=TWO_HOURS), None, dt.datetime(2020, 1, 1, 1, 2, 3, 4, tzinfo=TWO_HOURS)],
    "naive": [dt.datetime(2020, 1, 1), None, dt.datetime(1960, 1, 1)],
    "day": [dt.date(2020, 1, 1), dt.date(1950, 1, 1), None],
    "span": [dt.timedelta(seconds=-1), None, dt.timedelta(days=3)],
    "clock": [dt.time(1, 2, 3), dt.time(0), None],
    "money": [decimal.Decimal("1.50"), None, decimal.Decimal("-20.00")],
    "blob": [b"x", None, b""],
    "nothing": [None] * 3,
    "vector": [[1.0, 2.5], [], None],
}


def files(folder, contents):
    for name, content in contents.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class Rows(unittest.TestCase):
    def test_the_writing_is_the_one_that_is_documented(self):
        def digest(data):
            return hashlib.sha256(data).hexdigest()

        numbers = digest(b"\x01\x00\x01" + struct.pack("<dd", 1.0, 2.5))
        texts = digest(b"\x01\x01\x00" + struct.pack("<Q", 2) + "ü".encode() + struct.pack("<Q", 0))
        days = digest(b"\x00\x01\x01" + struct.pack("<qq", 1, -1))
        columns = [
            {"digest": days, "name": "c", "type": "date"},
            {"digest": numbers, "name": "n", "type": "number"},
            {"digest": texts, "name": "t", "type": "text"},
        ]
        whole = {"columns": columns, "format": 1, "rows": 3}
        expected = digest(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode())
        table = {
            "t": ["ü", "", None],
            "n": [1, None, 2.5],
            "c": [None, dt.date(1970, 1, 2), dt.date(1969, 12, 31)],
        }
        self.assertEqual(of_rows(table).digest, expected)

    def test_what_counts_as_the_same(self):
        nan = float("nan")
        london = dt.datetime(2020, 7, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=1)))
        utc = dt.datetime(2020, 7, 1, 11, tzinfo=dt.timezone.utc)
        for one, other in [
            ({"a": [1], "b": [2]}, {"b": [2], "a": [1]}),
            ({"a": [1]}, {"a": [1.0]}),
            ({"a": [0.0]}, {"a": [-0.0]}),
            ({"a": [None, 1.0]}, {"a": [nan, 1]}),
            ({"a": [london]}, {"a": [utc]}),
            ({"a": [1, 2]}, [{"a": 1}, {"a": 2}]),
            ({"a": [1, None], "b": [None, 2]}, [{"a": 1}, {"b": 2}]),
            ({"a": [decimal.Decimal("1.0")]}, {"a": [decimal.Decimal("1")]}),
        ]:
            self.assertEqual(of_rows(one).digest, of_rows(other).digest, (one, other))

    def test_what_counts_as_another_table(self):
        tables = [
            {"a": [1, 2]},
            {"a": [2, 1]},
            {"b": [1, 2]},
            {"a": [1]},
            {"a": ["1", "2"]},
            {"a": [True, True]},
            {"a": [None, None]},
            {"a": [None, None], "b": [None, None]},
            {"a": ["ab", "c"]},
            {"a": ["a", "bc"]},
            {"a": ["", None]},
            {"a": [dt.datetime(2020, 1, 1)] * 2},
            {"a": [dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)] * 2},
            {"a": [dt.date(2020, 1, 1)] * 2},
            {"a": [2**53 + 1, 1]},
            {"a": [2**53, 1]},
        ]
        self.assertEqual(len({of_rows(table).digest for table in tables}), len(tables))

    def test_what_has_no_writing_is_refused_by_column(self):
        for values in (["a", 1], [object()], [1j], [2**60, 0.5], [dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)]):
            with self.assertRaisesRegex(ValueError, "column `odd`: "):
                of_rows({"odd": values})
        for table in (3, {"a": [1], "b": []}, [1]):
            with self.assertRaises(ValueError):
                of_rows(table)

    def test_an_empty_table_has_a_fingerprint(self):
        self.assertNotEqual(of_rows({}).digest, of_rows({"a": []}).digest)


class Frames(unittest.TestCase):
    def same(self, *tables):
        expected = {column.name: column for column in of_rows(tables[0]).columns}
        for table in tables[1:]:
            got = {column.name: column for column in of_rows(table).columns}
            self.assertEqual(got, expected, type(table))

    @needs("pyarrow")
    def test_arrow(self):
        pa = optional("pyarrow")
        table = pa.table(TABLE)
        self.same(TABLE, table, table.to_pylist(), table.to_batches()[0], pa.concat_tables([table[:1], table[1:]]))
        words = pa.array(["a", None, "a"])
        self.same({"w": ["a", None, "a"]}, pa.table({"w": words.dictionary_encode()}), pa.table({"w": words}))

    @needs("pandas")
    def test_pandas(self):
        pd = optional("pandas")
        frame = pd.DataFrame(TABLE)
        self.same(TABLE, frame, frame.convert_dtypes(), frame.set_axis(["x", "y", "z"], axis="index"))
        for kind in ("category", "object", "string"):
            self.same({"w": ["a", None, "a"]}, pd.DataFrame({"w": pd.Series(["a", None, "a"], dtype=kind)}))
        for kind in ("int8", "float32", "Int64", "uint64"):
            self.same({"n": [1, 2]}, pd.DataFrame({"n": pd.Series([1, 2], dtype=kind)}))
        twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
        with self.assertRaisesRegex(ValueError, "named a"):
            of_rows(twice)

    @needs("pandas")
    def test_times_of_pandas_in_any_unit_and_zone(self):
        pd = optional("pandas")
        times = [dt.datetime(2020, 1, 1, 12, tzinfo=dt.timezone.utc), None]
        utc = pd.to_datetime(pd.Series(times), utc=True)
        for unit in ("s", "ms", "us", "ns"):
            self.same({"t": times}, pd.DataFrame({"t": utc.dt.as_unit(unit).dt.tz_convert("America/New_York")}))
        fine = pd.DataFrame({"t": pd.to_datetime(pd.Series([1, 2]), unit="ns")})
        self.assertEqual(of_rows(fine).columns[0].type, "local/ns")

    @needs("polars", "pyarrow")
    def test_polars(self):
        pa, pl = optional("pyarrow"), optional("polars")
        self.same(TABLE, pl.from_arrow(pa.table(TABLE)))
        words = pl.Series("w", ["a", None, "a"])
        self.same({"w": ["a", None, "a"]}, pl.DataFrame([words]), pl.DataFrame([words.cast(pl.Categorical)]))
        with self.assertRaisesRegex(ValueError, "collect"):
            of_rows(pl.DataFrame([words]).lazy())

    @needs("polars", "pandas", "pyarrow")
    def test_fine_times_are_the_same_everywhere(self):
        pa, pl, pd = optional("pyarrow"), optional("polars"), optional("pandas")
        table = pa.table({"t": pa.array([1, None, 1500], pa.timestamp("ns", tz="Europe/Berlin"))})
        self.same(table, pl.from_arrow(table), table.to_pandas(), table.to_pandas(types_mapper=pd.ArrowDtype))


class Files(unittest.TestCase):
    def test_a_folder_is_its_files_in_the_order_of_their_paths(self):
        with tempfile.TemporaryDirectory() as folder:
            files(folder, {"b.csv": b"2", "a/z.csv": b"1", ".hidden": b"?", "_SUCCESS": b"", "a/.part": b"?"})
            in_order = [("z.csv", b"1"), ("b.csv", b"2")]
            lines = "".join(f"{name}\n1\n{hashlib.sha256(text).hexdigest()}\n" for name, text in in_order)
            found = of_files(folder)
            self.assertEqual(found.digest, hashlib.sha256(lines.encode()).hexdigest())
            self.assertEqual((found.of, found.bytes, len(found.files)), ("files", 2, 2))
            self.assertEqual(fingerprint(Path(folder)), found)
            second = "".join(lines.splitlines(keepends=True)[3:])
            one = of_files(os.path.join(folder, "b.csv"))
            self.assertEqual(one.digest, hashlib.sha256(second.encode()).hexdigest())

    def test_what_is_not_there_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in (folder, os.path.join(folder, "none.csv")):
                with self.assertRaises(ValueError):
                    of_files(path)


class State(unittest.TestCase):
    def test_the_same_state_has_the_same_digest(self):
        self.assertEqual(state_digest({"b": 1, "a": [1.0, 2]}), state_digest({"a": (1, 2.0), "b": 1}))
        self.assertNotEqual(state_digest([1, float("nan")]), state_digest([1, None]))
        self.assertEqual(state_digest(b"abc"), hashlib.sha256(b"abc").hexdigest())
        with self.assertRaises(ValueError):
            state_digest(object())

    @needs("numpy")
    def test_arrays_are_lists_of_their_values(self):
        np = optional("numpy")
        self.assertEqual(state_digest(np.array([[1.0, 2.0]])), state_digest([[1, 2]]))
        self.assertEqual(state_digest({"mean": np.float64(0.5)}), state_digest({"mean": 0.5}))


if __name__ == "__main__":
    unittest.main()
