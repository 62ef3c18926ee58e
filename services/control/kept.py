"""What control keeps on disk beside its roots: the newest snapshot's number and the routes last in force.

With it a control plane that starts while nothing else does serves the same configuration as before.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Kept:
    """One JSON file, replaced as a whole at each change.

    A file that cannot be read (a full disk, an older layout) is as good as none: proxies accept a number that begins
    anew, and routes come back from the event bus or the topology.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            document = json.loads(path.read_text())
            self.snapshot_version = int(document["snapshot_version"])
            self.routes: dict[str, dict[str, Any]] = dict(document["routes"])
        except (OSError, ValueError, KeyError, TypeError):
            self.snapshot_version, self.routes = 0, {}

    def _save(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps({"snapshot_version": self.snapshot_version, "routes": self.routes}, indent=1))
        draft.replace(self._path)

    def keep_version(self, version: int) -> None:
        """Remembers the newest snapshot's number."""
        self.snapshot_version = version
        self._save()

    def keep_routes(self, routes: dict[str, dict[str, Any]]) -> None:
        """Remembers the routes that replace rendered ones, by service."""
        if routes != self.routes:
            self.routes = dict(routes)
            self._save()
