"""Where files come from: each source lists its files, and puts one at a time where it can be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.pipeline.work import Work


class SourceFailure(Exception):
    """A source as a whole cannot be used; the message names the field and the remedy."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a source."""

    uri: str
    size_bytes: int
    """0 where it is not known before it is there."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a server said of a content, to ask whether it is still so."""

    etag: str = ""
    last_modified: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that can be read.

    Attributes:
        path: where it is; None if it is still what its mark says.
        mark: what to ask with the next time; None for files that are not asked for so.
        is_ours: whether it is deleted when it was read.
    """

    path: Path | None
    mark: Mark | None = None
    is_ours: bool = False


class FileSource(Protocol):
    """A source. Calls block."""

    def files(self) -> list[Listed]:
        """Its files, in the order in which they are loaded.

        Raises:
            SourceFailure: there are none, too many, or they may not be read.
        """
        ...

    def fetch(self, uri: str, mark: Mark | None, work: Work) -> Fetched:
        """Puts one file where it can be read.

        Args:
            uri: which, as listed.
            mark: what is known of its content that is loaded.
            work: asked now and then whether to stop.

        Raises:
            FileFailure: it cannot be had.
            Stopped: the job should come to an end; what was fetched is kept for the next attempt.
        """
        ...

    def discard(self) -> None:
        """Deletes what was kept for a next attempt: the job has ended."""
        ...
