"""Tests of the engine: flow, planning, the ledger and the self-check."""
