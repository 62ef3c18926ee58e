"""Files of quotes, sent again as if they were live.

The place, a number of rows in the order of all files, goes into the log with the quotes: another writer goes on with
the row after it, so that each row is sent once, whoever dies. Rows are read in a thread, block by block.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.files.failure import FileFailure
from crossrate.files.shapes import shape_of
from services.marketdata.adapter import Disconnected, Sink
from services.marketdata.adapters.replay_rows import Rows, digest, merged
from services.marketdata.domain.normalise import IN_UTC, Raw
from services.marketdata.feeds import ReplayFeed

NANOSECONDS = 1_000_000_000
PART_MAX = 500
"""Quotes that are handed on together."""
NO_ROW = "a line of a file is no quote"
LINES_LOGGED_MAX = 20


class Replay:
    """One feed's files."""

    def __init__(
        self,
        spec: ReplayFeed,
        folder: Path,
        place: events_pb.ReplayPlace,
        note: Any,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """For one term.

        Args:
            spec: what was declared.
            folder: what paths are relative to.
            place: where the term before ended.
            note: where to log.
            now_ns: the platform's clock, nanoseconds since 1970 UTC.
            monotonic_ns: how much time has passed.
        """
        self._spec = spec
        self._folder = folder
        self._note = note
        self._now_ns, self._monotonic_ns = now_ns, monotonic_ns
        self._shape = shape_of(spec.shape, **spec.shape_changes)
        self._dataset, self._passes, self._rows = place.dataset, place.passes, place.rows
        self._logged = 0

    async def run(self, sink: Sink) -> None:
        """See Adapter."""
        paths = self._paths()
        reading = ThreadPoolExecutor(1, thread_name_prefix="replay")
        loop = asyncio.get_running_loop()
        rows: Iterator[Rows] | None = None
        try:
            dataset = await loop.run_in_executor(
                reading, digest, paths, self._shape, self._spec.instrument, self._spec.run
            )
            if dataset != self._dataset:
                if self._dataset:
                    self._note.warning("the files of the replay are not those from before; beginning anew")
                self._dataset, self._passes, self._rows = dataset, 0, 0
            sink.up(f"replaying {len(paths)} files")
            while self._spec.loop or not self._passes:
                before = self._rows
                rows = merged(paths, self._shape, self._spec.instrument, self._rejecting(sink), skip=self._rows)
                pace = _Pace(self._spec, self._now_ns, self._monotonic_ns)
                while (block := await loop.run_in_executor(reading, next, rows, None)) is not None:
                    await self._send(block, pace, sink)
                if not self._rows and not before:
                    raise Disconnected("no row of the files is a quote")
                self._passes, self._rows = self._passes + 1, 0
                sink.put((), self._place())
                sink.restart()
        except FileFailure as error:
            raise Disconnected(str(error)) from error
        finally:
            if rows is not None:
                # Not here: the thread may be in the middle of it.
                reading.submit(rows.close)  # type: ignore[attr-defined]
            reading.shutdown(wait=False)

    def _paths(self) -> list[Path]:
        found: list[Path] = []
        for pattern in self._spec.paths:
            path = self._folder / pattern
            names = sorted(
                each for each in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if each.is_file()
            )
            if not names:
                raise Disconnected(f"no file is called {pattern}, seen from {self._folder}")
            found += names
        return list(dict.fromkeys(found))

    def _place(self) -> events_pb.ReplayPlace:
        return events_pb.ReplayPlace(dataset=self._dataset, passes=self._passes, rows=self._rows)

    def _rejecting(self, sink: Sink) -> Callable[[str, int, str], None]:
        loop, counting = asyncio.get_running_loop(), self._rows == 0

        def reject(member: str, line: int, reason: str) -> None:
            if counting:
                loop.call_soon_threadsafe(sink.reject, NO_ROW)
            if self._logged < LINES_LOGGED_MAX:
                self._logged += 1
                self._note.warning("a line of the replay is no quote", file=member, line=line, reason=reason)

        return reject

    async def _send(self, rows: Rows, pace: _Pace, sink: Sink) -> None:
        """Hands rows on as they are due."""
        done = 0
        while done < len(rows):
            count = min(await pace.due(rows.key[done : done + PART_MAX]), PART_MAX)
            part = rows[done : done + count]
            times = pace.times(part.venue_time)
            names = part.instruments
            columns = (part.bid, part.ask, part.bid_quantity, part.ask_quantity, times, part.sequence)
            raws = [
                Raw(names[which], *values, IN_UTC)
                for which, *values in zip(part.which.tolist(), *(column.tolist() for column in columns), strict=True)
            ]
            done += count
            self._rows += count
            sink.put(raws, self._place())
            if sink.full:
                await sink.room()
            elif not pace.waits:
                await asyncio.sleep(0)


class _Pace:
    """When a row is due, and what its venue time is then."""

    def __init__(self, spec: ReplayFeed, now_ns: Callable[[], int], monotonic_ns: Callable[[], int]) -> None:
        self._speed = spec.speed
        self._kept = spec.times == "kept"
        self._wait_ns_max = round(spec.wait_s_max * NANOSECONDS)
        self._now_ns, self._monotonic_ns = now_ns, monotonic_ns
        self._first: int | None = None
        self._began_ns = self._began_mono_ns = 0
        self.waits = spec.speed > 0

    async def due(self, keys: np.ndarray) -> int:
        """How many of the next rows are due; waits until it is at least one."""
        if not self.waits:
            return len(keys)
        if self._first is None:
            self._first = int(keys[0])
            self._began_ns, self._began_mono_ns = self._now_ns(), self._monotonic_ns()
        while True:
            passed_ns = self._monotonic_ns() - self._began_mono_ns
            count = int(np.searchsorted(keys, self._first + round(passed_ns * self._speed), "right"))
            if count:
                return count
            wait_ns = round((int(keys[0]) - self._first) / self._speed) - passed_ns
            if self._wait_ns_max and wait_ns > self._wait_ns_max:
                self._first += round((wait_ns - self._wait_ns_max) * self._speed)
                continue
            await asyncio.sleep(max(wait_ns, 0) / NANOSECONDS)

    def times(self, venue_time: np.ndarray) -> np.ndarray:
        """Venue times as they are told."""
        if self._kept:
            return venue_time
        if not self.waits:
            return np.full(len(venue_time), self._now_ns(), np.int64)
        assert self._first is not None
        return self._began_ns + np.rint((venue_time - self._first) / self._speed).astype(np.int64)
