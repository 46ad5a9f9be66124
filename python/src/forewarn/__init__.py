"""Lineage and prediction logs for Forewarn."""

__version__ = "0.1.0"
