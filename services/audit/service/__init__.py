"""The calls of `audit`."""
