"""Files and folders of this machine."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from crossrate.files.failure import FileFailure
from services.pipeline.domain.specification import FILES_MAX, Files
from services.pipeline.sources import Fetched, Listed, Mark, SourceFailure
from services.pipeline.work import Work

HIDDEN = "."
UNFINISHED = (".part", ".tmp", ".crdownload", ".partial")
"""Endings of files that somebody is still writing."""


class LocalFiles:
    """Files below the folders that may be read."""

    def __init__(self, declared: Files, roots: Sequence[Path] | None) -> None:
        """For one job.

        Args:
            declared: which files.
            roots: folders below which files may be read; None for all.
        """
        self._declared = declared
        self._roots = None if roots is None else [root.resolve() for root in roots]

    def files(self) -> list[Listed]:
        """See FileSource. In order of path; each file once."""
        found: dict[Path, None] = {}
        for index, pattern in enumerate(self._declared.paths):
            here = list(self._expand(pattern))
            if not here:
                raise SourceFailure(f"source.paths[{index}]: {pattern} names no file")
            for path in here:
                found.setdefault(path)
                if len(found) > FILES_MAX:
                    raise SourceFailure(
                        f"source.paths[{index}]: more than {FILES_MAX} files; make several jobs of them"
                    )
        listed = []
        for path in sorted(found):
            self._allow(path)
            listed.append(Listed(str(path), path.stat().st_size))
        return listed

    def _expand(self, pattern: str) -> Iterator[Path]:
        path = Path(pattern)
        if path.is_dir():
            yield from self._below(path)
        elif path.is_file():
            yield path
        elif glob.has_magic(pattern):
            # Path.glob takes no absolute pattern.
            for name in glob.iglob(pattern, recursive=True):  # noqa: PTH207
                each = Path(name)
                if each.is_file() and not each.name.endswith(UNFINISHED):
                    yield each

    def _below(self, folder: Path) -> Iterator[Path]:
        for root, folders, names in os.walk(folder):
            folders[:] = [each for each in folders if not each.startswith(HIDDEN)] if self._declared.recursive else []
            for name in names:
                path = Path(root) / name
                if not name.startswith(HIDDEN) and not name.endswith(UNFINISHED) and path.is_file():
                    yield path

    def _allow(self, path: Path) -> None:
        """Refuses what leads out of the folders, also by a link."""
        real = path.resolve()
        if self._roots is not None and not any(real.is_relative_to(root) for root in self._roots):
            roots = ", ".join(map(str, self._roots))
            raise SourceFailure(f"source.paths: {path} is not below {roots}, where files may be read from the mesh")

    def fetch(self, uri: str, mark: Mark | None, work: Work) -> Fetched:
        """See FileSource: it is where it is."""
        path = Path(uri)
        try:
            self._allow(path)
        except SourceFailure as refused:
            raise FileFailure(uri, str(refused)) from None
        if not path.is_file():
            raise FileFailure(uri, "is no longer there")
        return Fetched(path)

    def discard(self) -> None:
        """See FileSource: nothing was kept."""
