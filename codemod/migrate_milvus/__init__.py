"""Rewrites pymilvus ORM code to MilvusClient, and reports what it cannot rewrite safely."""

__version__ = "0.1.0"
