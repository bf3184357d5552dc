"""The error of this stage."""

from __future__ import annotations


class RewriteError(Exception):
    """The edits cannot be applied without losing something; the text says which and why."""
