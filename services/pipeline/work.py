"""What the thread that reads and the loop share of a job, and what a file is known by."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from pathlib import Path

from crossrate.files.failure import FileFailure
from services.pipeline.domain.progress import Outcome, Progress

HASH_BYTES = 1 << 20


class Stopped(Exception):
    """The job is to stop: it was cancelled, or its instance ends or has lost its lease."""


class Work:
    """What the thread and the loop share of one job.

    Attributes:
        progress: see there; the thread counts, the loop reads.
        stop: set when the job should come to an end.
    """

    def __init__(self, progress: Progress) -> None:
        self.stop = threading.Event()
        self._lines_per_byte = 0.0
        self.resume(progress)

    def resume(self, progress: Progress) -> None:
        """Goes on from some progress; rates count from here."""
        self.progress = progress
        self._begun = time.monotonic()
        self._rows_before = progress.rows_read
        self._bytes_before = progress.bytes_done
        self._in_file = (0, 0, 0)

    def check(self) -> None:
        """Raises Stopped if the job should come to an end."""
        if self.stop.is_set():
            raise Stopped

    def begin(self, uri: str) -> None:
        """A file's turn has come."""
        self.progress.current_file = uri
        self._in_file = (0, 0, 0)

    def seen(self, size_bytes: int, lines: int, rows: int, rejected: int) -> None:
        """Counts what was read of the file under way, all of it from its begin."""
        read = min(size_bytes, int(lines / self._lines_per_byte)) if self._lines_per_byte else 0
        self._in_file = (read, rows, rejected)

    def done(self, outcome: Outcome, size_bytes: int) -> None:
        """A file is done."""
        self._in_file = (0, 0, 0)
        self.progress.current_file = ""
        if size_bytes and outcome.reading.lines:
            self._lines_per_byte = outcome.reading.lines / size_bytes
        self.progress.count(outcome.state, size_bytes, outcome.reading.rows, outcome.reading.rejected)

    def density(self, path: Path) -> None:
        """Learns how many lines a byte of the file has, if it is plain text and nothing is known yet."""
        if not self._lines_per_byte and path.suffix.lower() in (".csv", ".txt"):
            with path.open("rb") as file:
                sample = file.read(HASH_BYTES)
            self._lines_per_byte = sample.count(b"\n") / max(len(sample), 1)

    def snapshot(self) -> Progress:
        """The progress with what was read of the file under way, rate and remaining time."""
        size, rows, rejected = self._in_file
        now = self.progress
        made = replace(
            now,
            bytes_done=min(now.bytes_done + size, now.bytes_total),
            rows_read=now.rows_read + rows,
            rows_rejected=now.rows_rejected + rejected,
        )
        passed = max(time.monotonic() - self._begun, 1e-3)
        made.rows_per_s = (made.rows_read - self._rows_before) / passed
        read = made.bytes_done - self._bytes_before
        left = made.bytes_total - made.bytes_done
        made.remaining_s = left * passed / read if read > 0 and passed > 0.5 else None
        return made


def digest_of(path: Path, work: Work) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        Stopped: the job should come to an end.
        FileFailure: it cannot be read.
    """
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(HASH_BYTES):
                work.check()
                found.update(part)
    except OSError as wrong:
        raise FileFailure(str(path), f"cannot be read: {wrong.strerror}") from None
    return found.hexdigest()


def identity(path: Path) -> tuple[int, ...]:
    """What changes when a file is written to or replaced.

    Raises:
        FileFailure: it is not there.
    """
    try:
        found = path.stat()
    except OSError as wrong:
        raise FileFailure(str(path), f"cannot be read: {wrong.strerror}") from None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
