"""What a start or a stop tells about itself while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MESH = "mesh"
"""Name of the whole: its states are "healthy" and "failed" at the end of a start, "stopped" at the end of a stop."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One process (or the whole mesh) came into a state, `elapsed_s` seconds after what was asked."""

    name: str
    state: str
    elapsed_s: float
    detail: str = ""


OnProgress = Callable[[Progress], None]
