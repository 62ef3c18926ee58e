"""Venues that tests, and people who try feeds out, connect to."""
