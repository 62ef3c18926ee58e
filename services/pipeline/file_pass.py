"""One pass over a file: its rows by instrument, and at its end what is known of them. Blocking; run in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import parse_pair
from crossrate.files.chunk import Place
from crossrate.files.failure import FileFailure, Rejected
from crossrate.ticks.hours import Hours
from crossrate.ticks.quality import Inspector
from crossrate.ticks.thresholds import Finding
from services.pipeline.checkpoint import packed, unpacked
from services.pipeline.clock_check import ClockCheck, Found, Reference
from services.pipeline.domain.progress import Inspected, Reading, Span
from services.pipeline.domain.specification import Specification
from services.pipeline.work import Work

if TYPE_CHECKING:
    from crossrate.files.chunk import Chunk
    from crossrate.history.keys import Batch

INSTRUMENTS_MAX = 200
"""Instruments in one file."""
POINT = 1e-5
"""Unit of spreads for what is no pair."""


class Quarantined(Exception):
    """The file is too bad to load."""


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
        self._place: Place | None = None
        self.reading = Reading()

    @property
    def place(self) -> Place | None:
        """Behind what was read; None where a reading cannot begin."""
        return self._place

    def state(self) -> bytes | None:
        """All that was read has left, for `restore`; None if it is too much to be kept, or there is no place."""
        if self._place is None:
            return None
        reading = self.reading
        said: dict[str, Any] = {
            "place": asdict(self._place),
            "reading": [reading.lines, reading.rows, reading.rejected],
            "kept": [(member, each.line, each.text, each.reason) for member, each in reading.kept],
            "rejected": self._rejected,
            "inspectors": [],
            "clocks": [],
        }
        arrays: dict[str, NDArray] = {}
        for what, known in (("inspectors", self._inspectors), ("clocks", self._clocks)):
            for number, (instrument, each) in enumerate(known.items()):
                found, columns = each.state()
                said[what].append([instrument, found])
                arrays |= {f"{what}.{number}.{name}": column for name, column in columns.items()}
        return packed(said, arrays)

    def restore(self, state: bytes) -> None:
        """Goes on where another pass over the same file, for the same job, was.

        Raises:
            Unreadable: the state is of another version.
        """
        said, arrays = unpacked(state)
        reading = self.reading
        self._place = Place(**said["place"])
        reading.lines, reading.rows, reading.rejected = said["reading"]
        reading.resumed = reading.rows
        reading.kept = [(member, Rejected(*each)) for member, *each in said["kept"]]
        self._rejected = said["rejected"]
        for what, made in (("inspectors", self._inspector), ("clocks", self._clock_check)):
            for number, (instrument, found) in enumerate(said[what]):
                begin = f"{what}.{number}."
                columns = {name.removeprefix(begin): each for name, each in arrays.items() if name.startswith(begin)}
                made(instrument, str(self._path)).restore(found, columns)

    @property
    def _size(self) -> int:
        """Bytes of all of it."""
        return self._path.stat().st_size

    def _chunks(self) -> Iterator[Chunk]:
        """What is read, from the checkpoint on."""
        from crossrate.files.reader import read

        self._work.density(self._path)
        shape, instrument = self._spec.effective_shape, self._spec.map.instrument
        yield from read(self._path, shape, instrument=instrument, start=self._place)

    def batches(self) -> Iterator[Batch | None]:
        """The quotes, with None where all of a part was given; judged when all of the file was.

        Raises:
            Stopped: the job should come to an end.
            FileFailure: the file cannot be read, or not on.
            Quarantined: its quality breaks a threshold.
        """
        from crossrate.history.keys import Batch

        venue, size = self._spec.target.venue, self._size
        for chunk in self._chunks():
            self._work.check()
            self._count(chunk)
            if not chunk.instrument:
                continue
            if self._reference is not None:
                self._clock_check(chunk.instrument, chunk.member).add(chunk.ticks)
            inspector, self._place = self._inspector(chunk.instrument, chunk.member), None
            for ticks in inspector.add(chunk.ticks):
                yield Batch(venue, chunk.instrument, ticks)
            self._place = chunk.place
            # All of the chunk was given: what follows may be another attempt's.
            yield None
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

    def _clock_check(self, instrument: str, member: str) -> ClockCheck:
        return self._clocks.setdefault(instrument, ClockCheck(instrument))

    def _inspector(self, instrument: str, member: str) -> Inspector:
        known = self._inspectors.get(instrument)
        if known is not None:
            return known
        only = self._spec.map.only
        if only and instrument not in only:
            raise FileFailure(member, f"has quotes of {instrument}, which `map.only` does not name")
        if len(self._inspectors) >= INSTRUMENTS_MAX:
            raise FileFailure(member, f"has more than {INSTRUMENTS_MAX} instruments; split it")
        try:
            pair = parse_pair(instrument)
        except ValueError:
            made = Inspector(Hours())
        else:
            known_pair = CONVENTIONS.get(pair)
            point = 10.0**-known_pair.price_places if known_pair is not None else POINT
            made = Inspector(Hours(pair), point=point)
        self._inspectors[instrument] = made
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
                findings += self._overlaps(span, problems)
            reading.inspected.append(Inspected(instrument, report, rejected, tuple(findings)))
            broken = [str(each) for each in reading.inspected[-1].broken if each.rule != "overlaps_max"]
            if broken:
                problems.append(f"{instrument} breaks {'; '.join(broken)}")
        if problems:
            raise Quarantined("; ".join(problems))

    def _overlaps(self, span: Span, problems: list[str]) -> list[Finding]:
        """Whether other files of the dataset have rows of the same time."""
        if self._spec.quality.overlap_allowed:
            return []
        met = [uri for uri, other in self._others if span.meets(other)]
        if met:
            problems.append(
                f"{span.instrument} has rows of the same time from {met[0]} "
                "(set quality.overlap_allowed if both are wanted)"
            )
        return [Finding("overlaps_max", len(met), 0, not met)]
