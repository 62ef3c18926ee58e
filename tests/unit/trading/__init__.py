"""Tests of `trading` without a database."""
