"""Unit tests of the lean transport."""
