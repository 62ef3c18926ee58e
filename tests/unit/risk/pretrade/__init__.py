"""Checks before a trade, in memory."""
