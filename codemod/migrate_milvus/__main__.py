"""``python -m migrate_milvus``."""

from __future__ import annotations

from migrate_milvus.cli import main

if __name__ == "__main__":
    main()
