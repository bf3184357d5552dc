"""Measurements, run by hand: ``python -m tests.performance.bench``."""
