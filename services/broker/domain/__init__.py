"""Routing and the words of venues: pure."""
