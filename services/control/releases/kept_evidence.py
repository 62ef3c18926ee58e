"""What releases under way have seen, on disk: counts and tests go on after a restart of control where they were.

A file a release, replaced as a whole right after each look of the analysis, so that counts and tests are of the same
calls. Calls that end between the last write and a kill are lost to both, whatever they said: that a test was not given
them makes it neither quicker nor kinder. Nothing waits for the disk; after a power cut there is no release to go on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

FORMAT = 1
"""Another one is not read."""


class KeptEvidence:
    """The files of one folder."""

    def __init__(self, folder: Path, log: Any) -> None:
        self._folder, self._log = folder, log

    def _path(self, release_id: str) -> Path:
        return self._folder / f"{release_id}.json"

    def load(self, release_id: str) -> Mapping[str, Any]:
        """What was kept; nothing if nothing was, or if it cannot be read, which is logged."""
        try:
            document = json.loads(self._path(release_id).read_text())
            if document["format"] == FORMAT:
                return document
            reason = f"format {document['format']} is not {FORMAT}"
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = str(error)
        self._log.error(
            "what a release has seen cannot be read, and is counted anew", release=release_id, reason=reason
        )
        return {}

    async def save(self, release_id: str, document: Mapping[str, Any]) -> None:
        """Keeps it; what cannot be written is logged, and kept with the next look."""
        try:
            await asyncio.to_thread(self._write, self._path(release_id), document)
        except OSError as error:
            self._log.error("what a release has seen cannot be kept", release=release_id, reason=str(error))

    def _write(self, path: Path, document: Mapping[str, Any]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps({"format": FORMAT, **document}))
        draft.replace(path)

    def only(self, release_ids: Collection[str]) -> None:
        """Lets go of all others."""
        for path in self._folder.glob("*.json"):
            if path.stem not in release_ids:
                path.unlink(missing_ok=True)
