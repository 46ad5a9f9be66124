"""Delivers what waits in the spool: ``python -m forewarn [DEFINITION]``."""

import argparse
import sys

from .log import resend


def main() -> int:
    """1 where rows still wait."""
    parser = argparse.ArgumentParser(prog="forewarn-resend", description=__doc__)
    parser.add_argument("definition", nargs="?", help="the forewarn.toml whose folder takes the rows without a server")
    done = resend(definition=parser.parse_args().definition)
    print(f"{done.accepted} rows delivered, {done.rejected} refused, {done.spooled} wait")
    for error in done.errors:
        print(error, file=sys.stderr)
    return 1 if done.spooled else 0


if __name__ == "__main__":
    sys.exit(main())
