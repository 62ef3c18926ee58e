"""Tests of the ledger's domain."""
