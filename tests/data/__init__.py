"""Checks against real quotes, full size."""
