"""How a process of the node is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """What a supervisor passes to `subprocess`: `user` and `group` are ids, or None for its own."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    group: int | None = None
    stop_signal: int = 15

    def options(self) -> dict[str, object]:
        """The keyword arguments of `subprocess.Popen` or `asyncio.create_subprocess_exec` beside argv."""
        chosen: dict[str, object] = {"cwd": str(self.cwd), "env": dict(self.env)}
        if self.user is not None:
            chosen |= {"user": self.user, "group": self.group, "extra_groups": []}
        return chosen
