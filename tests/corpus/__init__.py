"""Measurements on code that nobody here wrote. Run with ``python -m tests.corpus.run``."""
