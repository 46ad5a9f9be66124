"""RFC 8785: one writing for one value."""

import math
import struct
import unittest

from forewarn.canonical import canonical_json, sha256_of_json

# Appendix B of RFC 8785: the bits of a number, and how it is written.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


class Canonical(unittest.TestCase):
    def test_numbers_are_written_as_the_rfc_writes_them(self):
        for bits, text in NUMBERS:
            (number,) = struct.unpack(">d", bytes.fromhex(bits))
            self.assertEqual(canonical_json(number), text)

    def test_every_written_number_reads_as_itself(self):
        for number in (0.1, 1 / 3, 2.0**70, 1e22, 123456789.125, 4.35, 5e-7, 1e-300):
            self.assertEqual(float(canonical_json(number)), number)

    def test_names_are_sorted_by_utf16_units(self):
        # The example of the RFC, section 3.2.3: the smiley (a surrogate pair) goes before U+FB33.
        names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
        written = canonical_json({name: 0 for name in names})
        expected = ["\\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
        self.assertEqual(written, "{" + ",".join(f'"{name}":0' for name in expected) + "}")

    def test_what_json_cannot_say_is_refused(self):
        for value in (math.nan, math.inf, 2**53, {1: 2}, object(), "\ud800"):
            with self.assertRaises(ValueError):
                canonical_json(value)

    def test_the_fingerprint_in_the_manual(self):
        # docs/lineage-facets.md shows these two steps with this fingerprint.
        steps = [
            {"name": "impute", "parameters": {"strategy": "median"}},
            {"name": "trees", "parameters": {"rate": 0.1}},
        ]
        expected = "41f6b2dce164e126c0e0b93c9b86933e4f379fae920b6cc3c05a7f7eb80849b3"
        self.assertEqual(sha256_of_json({"format": 1, "steps": steps}), expected)


if __name__ == "__main__":
    unittest.main()
