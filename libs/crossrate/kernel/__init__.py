"""The kernel's functions: numpy arrays in, numpy arrays out, computed by the C library or by its numpy twins."""

from crossrate.kernel.faults import ArgumentError, Reason, ShapeError

__all__ = ["ArgumentError", "Reason", "ShapeError"]
