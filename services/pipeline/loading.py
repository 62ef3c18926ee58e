"""One file: read, mapped, judged and given to the store as one commit. Blocking; run in a thread.

The quotes go to the store while they are read, a part at a time, and are committed only when all of the file was seen
and judged. What stops in between, of itself or by being killed, leaves nothing in the store.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import parse_pair
from crossrate.files.failure import FileFailure
from crossrate.ticks.hours import Hours
from crossrate.ticks.quality import Inspector
from crossrate.ticks.thresholds import Finding
from services.pipeline.clock_check import ClockCheck, Found, Reference
from services.pipeline.domain.progress import FileState, Inspected, Outcome, Progress, Reading, Span
from services.pipeline.domain.specification import Specification

if TYPE_CHECKING:
    from crossrate.files.chunk import Chunk
    from crossrate.history.keys import Batch
    from crossrate.history.store import TickStore

HASH_BYTES = 1 << 20
INSTRUMENTS_MAX = 200
"""Instruments in one file."""
POINT = 1e-5
"""Unit of spreads for what is no pair."""


class Stopped(Exception):
    """The job is to stop: it was cancelled, or its instance ends or has lost its lease."""


class Quarantined(Exception):
    """The file is too bad to load."""


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


class Pass:
    """One pass over a file: quotes by instrument with their flags, and at its end what is known of them."""

    def __init__(
        self,
        path: Path,
        spec: Specification,
        work: Work,
        others: Iterable[tuple[str, Span]],
        unchanged: Callable[[], bool],
        reference: Reference | None = None,
    ) -> None:
        """For one file.

        Args:
            path: where it is.
            spec: the job.
            work: what is shared with the loop.
            others: spans of other files of the dataset, each with where it came from.
            unchanged: whether the file is still as it was when its digest was made.
            reference: quotes whose clock is trusted; None if the clock is not looked at.
        """
        self._path, self._spec, self._work = path, spec, work
        self._others = list(others)
        self._unchanged = unchanged
        self._inspectors: dict[str, Inspector] = {}
        self._rejected: dict[str, int] = {}
        self._reference = reference
        self._clocks: dict[str, ClockCheck] = {}
        self.reading = Reading()

    def batches(self) -> Iterator[Batch]:
        """The quotes; judged when all were given.

        Raises:
            Stopped: the job should come to an end.
            FileFailure: the file cannot be read, or not on.
            Quarantined: its quality breaks a threshold.
        """
        from crossrate.files.reader import read
        from crossrate.history.keys import Batch

        venue = self._spec.target.venue
        size = self._path.stat().st_size
        self._work.density(self._path)
        for chunk in read(self._path, self._spec.effective_shape, instrument=self._spec.map.instrument):
            self._work.check()
            self._count(chunk)
            if self._reference is not None:
                self._clocks.setdefault(chunk.instrument, ClockCheck(chunk.instrument)).add(chunk.ticks)
            for ticks in self._inspector(chunk).add(chunk.ticks):
                yield Batch(venue, chunk.instrument, ticks)
            found = self.reading
            self._work.seen(size, found.lines, found.rows, found.rejected)
        for instrument, inspector in self._inspectors.items():
            self._work.check()
            for ticks in inspector.finish():
                yield Batch(venue, instrument, ticks)
        if not self._unchanged():
            raise FileFailure(str(self._path), "changed while it was being read; load it when it is complete")
        self._judge()

    def _count(self, chunk: Chunk) -> None:
        reading = self.reading
        reading.lines += chunk.lines
        reading.rows += len(chunk.ticks)
        reading.reject(chunk.member, chunk.rejected)
        self._rejected[chunk.instrument] = self._rejected.get(chunk.instrument, 0) + len(chunk.rejected)

    def _inspector(self, chunk: Chunk) -> Inspector:
        known = self._inspectors.get(chunk.instrument)
        if known is not None:
            return known
        only = self._spec.map.only
        if only and chunk.instrument not in only:
            raise FileFailure(chunk.member, f"has quotes of {chunk.instrument}, which `map.only` does not name")
        if len(self._inspectors) >= INSTRUMENTS_MAX:
            raise FileFailure(chunk.member, f"has more than {INSTRUMENTS_MAX} instruments; split it")
        try:
            pair = parse_pair(chunk.instrument)
        except ValueError:
            made = Inspector(Hours())
        else:
            known_pair = CONVENTIONS.get(pair)
            point = 10.0**-known_pair.price_places if known_pair is not None else POINT
            made = Inspector(Hours(pair), point=point)
        self._inspectors[chunk.instrument] = made
        return made

    def _clock(self, instrument: str) -> tuple[Found | None, str]:
        """What the reference says of the clock, or why it says nothing; neither if there is none."""
        if self._reference is None:
            return None, ""
        try:
            return self._clocks[instrument].compare(self._reference), ""
        except ValueError as nothing:
            return None, str(nothing)

    def _judge(self) -> None:
        quality, reading = self._spec.quality, self.reading
        problems: list[str] = []
        for instrument, inspector in sorted(self._inspectors.items()):
            clock, why = self._clock(instrument)
            report = inspector.report(
                clock_offset_s=clock.offset_s if clock else None,
                clock_residual_pips=clock.residual_pips if clock else None,
            )
            if why:
                problems.append(f"{instrument} cannot be compared with {quality.reference}, `quality.reference`: {why}")
            rejected = self._rejected[instrument]
            findings = list(quality.judge(report, rejected=rejected).findings)
            if report.first_time is not None and report.last_time is not None:
                span = Span(instrument, report.rows, report.first_time, report.last_time)
                reading.spans.append(span)
                if not quality.overlap_allowed:
                    met = [uri for uri, other in self._others if span.meets(other)]
                    findings.append(Finding("overlaps_max", len(met), 0, not met))
                    if met:
                        problems.append(
                            f"{instrument} has quotes of the same time from {met[0]} "
                            "(set quality.overlap_allowed if both are wanted)"
                        )
            reading.inspected.append(Inspected(instrument, report, rejected, tuple(findings)))
            broken = [str(each) for each in reading.inspected[-1].broken if each.rule != "overlaps_max"]
            if broken:
                problems.append(f"{instrument} breaks {'; '.join(broken)}")
        if problems:
            raise Quarantined("; ".join(problems))


def load(
    store: TickStore | None, spec: Specification, source: Pass, digest: str, position: str, prepare: Callable[[], None]
) -> Outcome:
    """Loads a file, or says why not.

    Args:
        store: the history; None for a dry run.
        spec: the job.
        source: the pass over the file.
        digest: of its content.
        position: name of the store's position that says whether it is loaded.
        prepare: keeps what was found, before the commit; called when all was read and nothing is committed yet.

    Raises:
        Stopped: the job should come to an end; nothing was committed.
        Exception: of the store or of `prepare`: nothing was committed, or the store's position tells.
    """

    def batches() -> Iterator[Batch]:
        yield from source.batches()
        prepare()

    try:
        if store is None:
            for _ in source.batches():
                pass
            return Outcome(FileState.CHECKED, source.reading, digest)
        done = store.append_all(batches(), {position: 1}, dataset=spec.target.dataset)
        if done.repeated and not source.reading.inspected:
            # The store has it, and what was found in it was not kept: it is read once more for that.
            with contextlib.suppress(Quarantined):
                for _ in source.batches():
                    pass
            prepare()
    except FileFailure as wrong:
        return Outcome(FileState.FAILED, source.reading, digest, str(wrong))
    except Quarantined as wrong:
        return Outcome(FileState.QUARANTINED, source.reading, digest, str(wrong))
    return Outcome(FileState.LOADED, source.reading, digest)


def position_of(dataset: str, generation: int, digest: str) -> str:
    """Name of the store's position of one content in one generation of a dataset."""
    return f"{dataset}.{generation}.{digest[:40]}"
