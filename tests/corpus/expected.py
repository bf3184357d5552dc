"""The index part of the corpus: which archives, and how many ORM call sites each holds.

The counts come from an independent scan of the same archives, made once, after removing files that
had been met before (so a later pymilvus archive counts only what is new in it).
"""

from __future__ import annotations

from typing import NamedTuple


class Archive(NamedTuple):
    """One package of the index, the ORM files and the call sites counted in it."""

    name: str
    version: str
    files: int
    sites: int

    @property
    def label(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def from_source(self) -> bool:
        """Only the source archives of pymilvus carry its examples and tests."""
        return self.name == "pymilvus"

    @property
    def folders(self) -> tuple[str, ...]:
        """The part of the archive that is user code; empty means all of it."""
        return ("examples", "tests") if self.name == "pymilvus" else ()


#: In the order in which duplicates are removed.
ARCHIVES = (
    Archive("pymilvus", "2.2.17", 13, 296),
    Archive("pymilvus", "2.3.4", 6, 149),
    Archive("pymilvus", "2.2.8", 3, 140),
    Archive("pymilvus", "2.0.2", 10, 129),
    Archive("pymilvus", "2.1.3", 7, 118),
    Archive("milvus-cli", "0.4.3", 8, 60),
    Archive("pymilvus", "2.4.4", 3, 55),
    Archive("feliz-milvus", "0.1.8", 2, 40),
    Archive("ai-prishtina-milvus-client", "1.0.2", 1, 29),
    Archive("langchain-milvus", "0.1.0", 2, 29),
    Archive("llama-index", "0.6.38", 2, 28),
    Archive("milvus-haystack", "0.0.9", 1, 26),
    Archive("semantic-kernel", "1.10.0", 1, 26),
    Archive("langchain-community", "0.2.19", 1, 25),
    Archive("vectordb-bench", "0.0.20", 1, 23),
    Archive("llama-index-vector-stores-milvus", "0.1.23", 1, 22),
    Archive("gptcache", "0.1.20", 1, 18),
    Archive("docarray", "0.21.1", 1, 17),
    Archive("farm-haystack", "1.5.0", 1, 15),
)
