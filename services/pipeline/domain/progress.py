"""How far a job has come, and what became of its files."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from crossrate.files.failure import Rejected
from crossrate.ticks.bar_comparison import Comparison
from crossrate.ticks.quality import Report
from crossrate.ticks.thresholds import Finding

REJECTED_KEPT_MAX = 1_000
"""Rejected lines of one file that are kept; the others are counted."""


class JobState(enum.IntEnum):
    """JOB_STATE_… of the contract."""

    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    INCOMPLETE = 4
    FAILED = 5
    CANCELLED = 6

    @property
    def ended(self) -> bool:
        """Whether it stays so."""
        return self > JobState.RUNNING


class FileState(enum.IntEnum):
    """FILE_STATE_… of the contract."""

    PENDING = 1
    LOADED = 2
    UNCHANGED = 3
    QUARANTINED = 4
    FAILED = 5
    CHECKED = 6


class RowKind(enum.IntEnum):
    """DATASET_KIND_… of the contract: what the rows of a dataset are."""

    QUOTES = 1
    BARS = 2


@dataclass(slots=True)
class Progress:
    """Counts of a job; changed by the thread that works on it and read by others, each count whole.

    Attributes: those of the contract; `lines_file` counts in the file under way, `bytes_file` is its size.
    """

    files_total: int = 0
    files_done: int = 0
    files_loaded: int = 0
    files_unchanged: int = 0
    files_quarantined: int = 0
    files_failed: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    bytes_total: int = 0
    bytes_done: int = 0
    rows_per_s: float = 0.0
    remaining_s: float | None = None
    current_file: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As data."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Progress:
        """From `to_dict`; what is not known is left out."""
        names = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in names})

    def count(self, state: FileState, size_bytes: int, rows: int, rejected: int) -> None:
        """Counts a file that is done; its rows take the place of those that were counted while it was read."""
        self.files_done += 1
        self.files_loaded += state is FileState.LOADED
        self.files_unchanged += state is FileState.UNCHANGED
        self.files_quarantined += state is FileState.QUARANTINED
        self.files_failed += state is FileState.FAILED
        self.rows_loaded += rows if state is FileState.LOADED else 0
        self.bytes_done += size_bytes
        self.rows_read += rows
        self.rows_rejected += rejected


def verdict(progress: Progress, failed: str) -> JobState:
    """How a job ends that was not cancelled.

    Args:
        progress: at its end.
        failed: why it could not be carried out; empty if it was.
    """
    if failed:
        return JobState.FAILED
    bad = progress.files_failed + progress.files_quarantined
    return JobState.INCOMPLETE if bad else JobState.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of one instrument in one file, and the venue times between which they lie, ns since 1970 UTC."""

    instrument: str
    rows: int
    first: int
    last: int

    def meets(self, other: Span) -> bool:
        """Whether both have quotes of an instrument in the same time. One that begins at the moment at which another
        ends is the next part of it."""
        if self.instrument != other.instrument:
            return False
        same = (self.first, self.last) == (other.first, other.last)
        return same or (self.first < other.last and other.first < self.last)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What is known of one instrument in a file."""

    instrument: str
    report: Report
    rejected: int
    findings: tuple[Finding, ...]
    comparison: Comparison | None = None
    """Of bars: how they stand to those built of the reference's quotes."""

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The rules that do not hold."""
        return tuple(each for each in self.findings if not each.holds)


@dataclass(slots=True)
class Reading:
    """What was found in a file."""

    lines: int = 0
    rows: int = 0
    rejected: int = 0
    resumed: int = 0
    """Rows that an attempt before had read."""
    kept: list[tuple[str, Rejected]] = field(default_factory=list)
    """The first rejected lines, each with its file or member."""
    inspected: list[Inspected] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def reject(self, member: str, rejected: tuple[Rejected, ...]) -> None:
        """Counts rejected lines, and keeps the first of them."""
        self.rejected += len(rejected)
        room = REJECTED_KEPT_MAX - len(self.kept)
        self.kept += [(member, each) for each in rejected[:room]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file, and why."""

    state: FileState
    reading: Reading
    digest: str = ""
    message: str = ""
