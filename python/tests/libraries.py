"""Libraries that some tests need, and the package itself where it is not installed."""

import importlib
import sys
import unittest
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src"


def optional(name):
    """The library, or ``None``."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def needs(*names):
    """Skips a test where a library is not installed, and says which."""
    gone = [name for name in names if optional(name) is None]
    return unittest.skipIf(gone, f"not installed: {', '.join(gone)}")


if str(PACKAGE) not in sys.path:
    sys.path.insert(0, str(PACKAGE))
