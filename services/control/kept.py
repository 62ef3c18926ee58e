"""What control keeps on disk beside its roots: the newest snapshot's number and the routes last in force.

With it a control plane that starts while nothing else does serves the same configuration as before.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Kept:
    """One JSON file, replaced as a whole at each change.

    A file that cannot be read (an older layout, say) is as good as none: proxies accept a number that begins anew, and
    routes come back from the event bus or the topology. One that cannot be written is logged.
    """

    def __init__(self, path: Path, log: Any) -> None:
        self._path = path
        self._log = log
        try:
            document = json.loads(path.read_text())
            self.snapshot_version = int(document["snapshot_version"])
            self.routes: dict[str, dict[str, Any]] = dict(document["routes"])
            self.unwritten: set[str] = set(document["unwritten"])
        except (OSError, ValueError, KeyError, TypeError):
            self.snapshot_version, self.routes, self.unwritten = 0, {}, set()

    def _save(self) -> None:
        document = {
            "snapshot_version": self.snapshot_version,
            "routes": self.routes,
            "unwritten": sorted(self.unwritten),
        }
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(document, indent=1))
            draft.replace(self._path)
        except OSError as error:
            # A full disk must not keep the proxies from learning which instances serve.
            self._log.error("what control keeps cannot be written", path=str(self._path), reason=str(error))

    def keep_version(self, version: int) -> None:
        """Remembers the newest snapshot's number."""
        self.snapshot_version = version
        self._save()

    def keep_route(self, service: str, document: dict[str, Any] | None) -> None:
        """Remembers the route that replaces a rendered one, or that none does; the event bus does not have it yet."""
        if document is None:
            self.routes.pop(service, None)
        else:
            self.routes[service] = document
        self.unwritten.add(service)
        self._save()

    def written(self, service: str) -> None:
        """The event bus has the service's route as it is here."""
        self.unwritten.discard(service)
        self._save()
