"""Lineage and prediction logs for Forewarn.

:mod:`forewarn.trace` records where data and models come from; :func:`log_predictions` and
:func:`log_outcomes` fill the log that Forewarn reads.
"""

__version__ = "0.1.0"

from . import trace
from .log import Logged, log_outcomes, log_predictions, resend
from .settings import configure

__all__ = ["Logged", "__version__", "configure", "log_outcomes", "log_predictions", "resend", "trace"]
