"""ORM signatures that an older release declared otherwise than 3.0.2, of which the rows tell."""

from __future__ import annotations

from collections.abc import Mapping

DECLARED: Mapping[str, Mapping[str, str]] = {
    "2.6.13": {
        "Collection.search": (
            "data, anns_field, param, limit, expr=None, partition_names=None, output_fields=None, "
            "timeout=None, round_decimal=-1, ranker=None, highlighter=None, **"
        ),
    },
}
"""Release -> symbol -> signature; all other callables of the ORM are declared alike in both."""
