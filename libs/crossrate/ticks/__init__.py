"""Quotes as columns: what feeds, files, bars and history have in common. Numpy, the kernel, and pydantic for limits."""
